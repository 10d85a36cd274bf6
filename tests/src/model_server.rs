//! llama.cpp's own HTTP server with a tiny model, from PyPI packages: a real OpenAI-compatible peer.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for the model to be loaded.
const READY_MAX: Duration = Duration::from_secs(120);

pub struct ModelServer {
    child: Child,
    pub url: String,
}

/// Starts the server, with the Python that `tests/install` has set up.
pub fn start() -> ModelServer {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python: PathBuf = root.join("model_server/venv/bin/python");
    assert!(
        python.exists(),
        "the model server is not installed; run tests/install model_server"
    );
    let port = crate::binary::free_port();
    let mut child = Command::new(python)
        .arg(root.join("model_server/serve.py"))
        .arg(port.to_string())
        .env("OMP_NUM_THREADS", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let begun = Instant::now();
    loop {
        let line = lines.next().expect("the model server ended").unwrap();
        if line.starts_with("listening") {
            break;
        }
        assert!(begun.elapsed() < READY_MAX, "the model server is not ready");
    }
    // It may write on; nobody reads.
    std::thread::spawn(move || lines.for_each(drop));
    ModelServer {
        child,
        url: format!("http://127.0.0.1:{port}/v1"),
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
