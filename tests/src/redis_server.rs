//! A Redis of the test's own: one server, a server with TLS and users, or a cluster of three masters, in a folder that goes with it.

use crate::certificates::{certificates, steady_port};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for a server or a cluster to be ready.
const READY_MAX: Duration = Duration::from_secs(20);
/// Masters of a cluster.
const MASTERS: u16 = 3;
const SLOTS: u16 = 16_384;

/// One `redis-server`; killed when dropped.
pub struct Redis {
    child: Option<Child>,
    pub port: u16,
    arguments: Vec<String>,
    /// What `redis-cli` needs to talk to it.
    client: Vec<String>,
    dir: tempfile::TempDir,
}

impl Redis {
    /// A server that writes every step to disk before it answers.
    pub fn start() -> Self {
        Self::start_with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// A server with settings of choice.
    pub fn start_with(arguments: &[&str]) -> Self {
        let port = steady_port();
        let mut all = vec!["--port".to_owned(), port.to_string()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self::spawn(
            port,
            all,
            vec!["-p".to_owned(), port.to_string()],
            tempfile::tempdir().unwrap(),
        )
    }

    /// A server that speaks TLS only, with its own authority, and knows one user with a password.
    pub fn start_with_tls(user: &str, password: &str, rights: &str) -> (Self, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let authority = certificates(dir.path());
        let port = steady_port();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let acl = format!("user default off\nuser {user} on >{password} {rights}\n");
        std::fs::write(dir.path().join("users.acl"), acl).unwrap();
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let arguments = words(&[
            "--port",
            "0",
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &at("server.crt"),
            "--tls-key-file",
            &at("server.key"),
            "--tls-ca-cert-file",
            &at("ca.crt"),
            "--tls-auth-clients",
            "no",
            "--aclfile",
            &at("users.acl"),
        ]);
        let client = words(&[
            "-p",
            &port.to_string(),
            "--tls",
            "--cacert",
            &at("ca.crt"),
            "--user",
            user,
            "--pass",
            password,
            "--no-auth-warning",
        ]);
        (Self::spawn(port, arguments, client, dir), authority)
    }

    fn spawn(
        port: u16,
        arguments: Vec<String>,
        client: Vec<String>,
        dir: tempfile::TempDir,
    ) -> Self {
        let mut redis = Self {
            child: None,
            port,
            arguments,
            client,
            dir,
        };
        redis.up();
        redis
    }

    /// Starts the server again on the same data, after `kill`.
    pub fn up(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(self.dir.path())
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is not installed; tests/run installs it");
        self.child = Some(child);
        let begun = Instant::now();
        while self.ask(&["PING"]).trim() != "PONG" {
            assert!(begun.elapsed() < READY_MAX, "redis-server is not ready");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// As if its machine had died: of the append-only file only so many bytes had been forced to disk.
    pub fn kill_with_its_machine(&mut self, kept_bytes: u64) {
        self.kill();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(self.append_only_file());
        file.unwrap().set_len(kept_bytes).unwrap();
    }

    pub fn append_only_file(&self) -> PathBuf {
        self.dir
            .path()
            .join("appendonlydir/appendonly.aof.1.incr.aof")
    }

    /// SIGSTOP or SIGCONT: the server is there and does not answer.
    pub fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// What `redis-cli` prints.
    pub fn ask(&self, command: &[&str]) -> String {
        let asked = Command::new("redis-cli")
            .args(&self.client)
            .args(command)
            .output()
            .expect("redis-cli is not installed; tests/run installs it");
        String::from_utf8_lossy(&asked.stdout).into_owned()
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Three masters that share the slots.
pub struct Cluster {
    pub nodes: Vec<Redis>,
}

impl Cluster {
    pub fn start() -> Self {
        let nodes: Vec<Redis> = (0..MASTERS)
            .map(|_| {
                let bus = steady_port().to_string();
                Redis::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus])
            })
            .collect();
        let share = SLOTS / MASTERS + 1;
        let mut from = 0;
        for (at, node) in nodes.iter().enumerate() {
            let to = (from + share).min(SLOTS) - 1;
            let answer = node.ask(&[
                "CLUSTER",
                "ADDSLOTSRANGE",
                &from.to_string(),
                &to.to_string(),
            ]);
            assert_eq!(answer.trim(), "OK");
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]);
            from = to + 1;
        }
        for node in nodes.iter().skip(1) {
            let bus = node.ask(&["CONFIG", "GET", "cluster-port"]);
            let bus = bus.lines().last().unwrap().to_owned();
            let port = node.port.to_string();
            let met = nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
            assert_eq!(met.trim(), "OK");
        }
        let begun = Instant::now();
        let knows = |node: &Redis| {
            let info = node.ask(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        };
        while !nodes.iter().all(knows) {
            assert!(begun.elapsed() < READY_MAX, "the cluster is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { nodes }
    }

    pub fn url(&self) -> String {
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect();
        format!("redis+cluster://{}", nodes.join(","))
    }
}
