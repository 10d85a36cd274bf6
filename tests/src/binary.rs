//! The real `tiansheng` as a child process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Longest wait for the server to be ready.
const READY_MAX: Duration = Duration::from_secs(30);

/// The server's log, in its data folder.
pub const LOG: &str = "server.log";

/// The path of the built binary; built on the first call where it is not there or out of date.
pub fn path() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let mut dir = std::env::current_exe().unwrap();
        while dir
            .file_name()
            .is_none_or(|name| name != "debug" && name != "release")
        {
            assert!(dir.pop(), "the test does not run from a target folder");
        }
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--workspace", "--bins", "--quiet"]);
        if dir.ends_with("release") {
            cargo.arg("--release");
        }
        // What cargo tells a test of its package is not for the build: ring is compiled anew when it changes.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&*name);
            }
        }
        let built = cargo
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
            .status()
            .unwrap();
        assert!(built.success(), "the binary does not build");
        dir.join("tiansheng")
    })
    .clone()
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// Starts `tiansheng serve` on a data folder and waits until it is ready.
    pub fn start(data: &Path, port: u16, environment: &[(&str, &str)]) -> Self {
        Self::start_program("tiansheng", data, port, environment)
    }

    /// The same for another program of the workspace that takes the same settings.
    pub fn start_program(
        program: &str,
        data: &Path,
        port: u16,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(path().with_file_name(program));
        if program == "tiansheng" {
            command.arg("serve");
        }
        command
            .env("TIANSHENG_LISTEN", format!("127.0.0.1:{port}"))
            .env("TIANSHENG_DATA__DIR", data)
            .env("TIANSHENG_LOG__LEVEL", "info")
            .envs(environment.iter().copied())
            .current_dir(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(
                std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(data.join(LOG))
                    .unwrap(),
            );
        let mut server = Self {
            child: command.spawn().unwrap(),
            url: format!("http://127.0.0.1:{port}"),
        };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < READY_MAX, "the server is not ready");
            if let Some(status) = server.child.try_wait().unwrap() {
                let log = std::fs::read_to_string(data.join(LOG)).unwrap();
                panic!("the server ended with {status}: {log}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    /// SIGKILL: no chance to tidy up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended.
    pub fn stop(mut self) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }

    /// Waits until it has ended by itself.
    pub fn ended(mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    /// Any other signal.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs one command to its end: exit code, standard output, standard error.
pub fn run(args: &[&str], input: &[u8]) -> (i32, String, String) {
    use std::io::Write;
    let mut child = Command::new(path())
        .args(args)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that ends early closes its input.
        let _ = stdin.write_all(&input);
    });
    let errors = BufReader::new(child.stderr.take().unwrap());
    let errors = std::thread::spawn(move || {
        errors
            .lines()
            .map_while(Result::ok)
            .collect::<Vec<_>>()
            .join("\n")
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        errors.join().unwrap(),
    )
}
