//! A real nginx with a configuration of ours, made to listen and to find its servers on this machine.

use crate::binary::free_port;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait until it listens.
const READY_MAX: Duration = Duration::from_secs(10);

/// Stopped when dropped.
pub struct Nginx {
    child: Child,
    pub url: String,
    dir: tempfile::TempDir,
}

impl Nginx {
    /// `names` are the servers that the configuration names, with the addresses where they really are.
    pub fn start(configuration: &str, names: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let mut text = configuration
            .replace("listen 8080;", &format!("listen 127.0.0.1:{port};"))
            .replace("/run/nginx.pid", &at("nginx.pid"))
            .replace("/dev/stderr", &at("error.log"));
        for (name, address) in names {
            assert!(text.contains(name), "the configuration names no {name}");
            text = text.replace(name, address);
        }
        // Without root its own folders are out of reach.
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let folders: String = kinds
            .iter()
            .map(|kind| format!("{kind}_temp_path {};\n", at(kind)))
            .collect();
        text = text.replace("http {\n", &format!("http {{\n{folders}"));
        std::fs::write(at("nginx.conf"), text).unwrap();
        let run = |more: &[&str]| {
            let mut command = Command::new("nginx");
            command
                .args(["-c", &at("nginx.conf"), "-e", &at("error.log")])
                .args(more)
                .stdin(Stdio::null());
            command
        };
        let tested = run(&["-t"]).output();
        let tested = tested.expect("nginx is not installed; tests/run installs it");
        let told = String::from_utf8_lossy(&tested.stderr);
        assert!(tested.status.success(), "{told}");
        assert!(!told.contains("[warn]"), "{told}");
        let child = run(&["-g", "daemon off;"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            dir,
        };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < READY_MAX, "{}", nginx.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        nginx
    }

    /// What it wrote of errors.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed, it would leave its workers behind.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.child.wait();
    }
}
