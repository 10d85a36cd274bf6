//! A PostgreSQL of the test's own, in a folder that goes with it; with TLS and a password if wanted.

use crate::certificates::{certificates, steady_port};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for the server to take connections.
const READY_MAX: Duration = Duration::from_secs(30);
/// The user that owns everything.
pub const OWNER: &str = "shop";
pub const PASSWORD: &str = "pass:w@rd";
/// The password as a URL writes it.
const PASSWORD_IN_URL: &str = "pass%3Aw%40rd";

/// One `postgres`; killed when dropped.
pub struct Postgres {
    child: Option<Child>,
    pub port: u16,
    /// The authority of its certificate.
    pub authority: PathBuf,
    dir: tempfile::TempDir,
}

impl Postgres {
    /// A server with the database `records`, which forces every commit to disk as it does by default.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = certificates(dir.path());
        std::fs::write(dir.path().join("password"), PASSWORD).unwrap();
        own(dir.path());
        let made = as_owner("initdb")
            .args(["--username", OWNER, "--auth", "scram-sha-256"])
            .args(["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"])
            .arg("--pwfile")
            .arg(dir.path().join("password"))
            .arg("--pgdata")
            .arg(dir.path().join("data"))
            .current_dir(dir.path())
            .output()
            .expect("initdb cannot be started; tests/run installs postgresql");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut server = Self {
            child: None,
            port: steady_port(),
            authority,
            dir,
        };
        server.up();
        server.ask("postgres", "CREATE DATABASE records");
        server
    }

    /// Starts the server again on the same data, after `kill`.
    pub fn up(&mut self) {
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        let child = as_owner("postgres")
            .arg("-D")
            .arg(at("data"))
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            .args(["-c", "max_connections=30", "-c", "shared_buffers=16MB"])
            .args(["-c", "ssl=on"])
            .args(["-c", &format!("ssl_cert_file={}", at("server.crt"))])
            .args(["-c", &format!("ssl_key_file={}", at("server.key"))])
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres cannot be started; tests/run installs postgresql");
        self.child = Some(child);
        let begun = Instant::now();
        while self.asked("postgres", "SELECT 1").is_none() {
            assert!(begun.elapsed() < READY_MAX, "postgres is not ready");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// SIGKILL of the server and all that it started.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            // Until no child holds the shared memory, a new server refuses to start.
            let data = self.dir.path().join("data");
            let begun = Instant::now();
            while begun.elapsed() < READY_MAX {
                let children = processes(&data);
                if children.is_empty() {
                    return;
                }
                for id in children {
                    let _ = send("-KILL", id);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// SIGSTOP or SIGCONT of everything that serves: it is there and does not answer.
    pub fn signal(&self, signal: &str) {
        // A helper process may end by itself between being found and being told.
        let told = processes(&self.dir.path().join("data"))
            .into_iter()
            .filter(|id| send(signal, *id))
            .count();
        assert!(told > 0, "no process of the server is there");
    }

    /// What `psql` prints; a statement that fails ends the test.
    pub fn ask(&self, database: &str, sql: &str) -> String {
        self.asked(database, sql)
            .unwrap_or_else(|| panic!("psql: {sql}"))
    }

    fn asked(&self, database: &str, sql: &str) -> Option<String> {
        let asked = Command::new("psql")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-U", OWNER, "-d", database, "-XAtqc", sql])
            .env("PGPASSWORD", PASSWORD)
            .env("PGCONNECT_TIMEOUT", "5")
            .output()
            .expect("psql is not installed; tests/run installs it");
        asked
            .status
            .success()
            .then(|| String::from_utf8_lossy(&asked.stdout).trim().to_owned())
    }

    /// A new empty database.
    pub fn fresh(&self) -> String {
        let name = format!("records_{}", uuid::Uuid::new_v4().simple());
        self.ask("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    pub fn url(&self, database: &str) -> String {
        let port = self.port;
        format!("postgres://{OWNER}:{PASSWORD_IN_URL}@127.0.0.1:{port}/{database}")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// PostgreSQL refuses to run as root, so there it runs as the user that its package makes.
fn as_owner(program: &str) -> Command {
    let path = binaries().join(program);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "postgres", "--regid", "postgres"])
        .args(["--clear-groups", "--"])
        .arg(path);
    command
}

/// The newest version that the packages installed.
fn binaries() -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("postgresql is not installed; tests/run installs it")
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.pop().expect("no version of postgresql is there").1
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Gives the folder to whoever runs the server.
fn own(dir: &Path) {
    if is_root() {
        let given = Command::new("chown")
            .args(["-R", "postgres:postgres"])
            .arg(dir)
            .status()
            .unwrap();
        assert!(given.success());
    }
}

/// The server's processes: those that work in its data folder.
fn processes(data: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let id = entry.file_name().to_str()?.parse().ok()?;
            let at = std::fs::read_link(entry.path().join("cwd")).ok()?;
            (at == data).then_some(id)
        })
        .collect()
}

fn send(signal: &str, id: u32) -> bool {
    let sent = Command::new("kill")
        .args([signal, &id.to_string()])
        .stderr(Stdio::null())
        .status();
    sent.is_ok_and(|status| status.success())
}
