//! What the servers of the tests need: a port that stays free, an authority and a certificate.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A free port below those that systems give to outgoing connections, so that a server finds it free again after a restart.
pub fn steady_port() -> u16 {
    const FROM: u16 = 20_000;
    const COUNT: u16 = 12_000;
    const TRIES: usize = 200;
    (0..TRIES)
        .map(|_| FROM + (uuid::Uuid::new_v4().as_u128() % u128::from(COUNT)) as u16)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("no port is free")
}

/// An authority and a server's certificate for 127.0.0.1; gives the authority's file.
pub fn certificates(dir: &Path) -> PathBuf {
    let openssl = |arguments: &[&str]| {
        let made = Command::new("openssl")
            .args(arguments)
            .current_dir(dir)
            .stdin(Stdio::null())
            .output()
            .expect("openssl is not installed; tests/run installs it");
        assert!(made.status.success(), "{arguments:?}");
    };
    let new_key = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-sha256"];
    let request = |arguments: &[&str]| openssl(&[&["req"], &new_key[..], arguments].concat());
    request(&[
        "-x509",
        "-subj",
        "/CN=tests",
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
    ]);
    request(&[
        "-subj",
        "/CN=server",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
    ]);
    std::fs::write(
        dir.join("names"),
        "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
    )
    .unwrap();
    openssl(&[
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-sha256",
        "-extfile",
        "names",
        "-out",
        "server.crt",
    ]);
    dir.join("ca.crt")
}
