//! A TCP way to a server that can be slowed, cut, silenced and led to another server while it is in use.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Bytes taken at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks that may be on their way in one direction.
const CHUNKS_MAX: usize = 1_024;

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Whatever the server sends arrives so much later.
    Slow(Duration),
    /// Connections are broken, and each new one at once.
    Cut,
    /// Connections stay and nothing comes through.
    Silent,
}

#[derive(Clone, Copy, Debug)]
struct Now {
    way: Way,
    target: u16,
    /// Rises when all connections are to break once.
    generation: u64,
}

/// A port of its own that leads to another; closed when dropped.
pub struct Wire {
    pub port: u16,
    now: Arc<watch::Sender<Now>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Wire {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (now, _) = watch::channel(Now {
            way: Way::Open,
            target,
            generation: 0,
        });
        let now = Arc::new(now);
        let seen = Arc::clone(&now);
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(connection(near, seen.subscribe()));
            }
        });
        Self {
            port,
            now,
            listening,
        }
    }

    pub fn set(&self, way: Way) {
        self.now.send_modify(|now| now.way = way);
    }

    pub fn way(&self) -> Way {
        self.now.borrow().way
    }

    /// Breaks what is connected; new connections are made as before.
    pub fn drop_all(&self) {
        self.now.send_modify(|now| now.generation += 1);
    }

    /// Leads to another server from now on; what is connected breaks.
    pub fn lead_to(&self, target: u16) {
        self.now.send_modify(|now| {
            now.target = target;
            now.generation += 1;
        });
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listening.abort();
        self.drop_all();
    }
}

async fn connection(near: TcpStream, mut seen: watch::Receiver<Now>) {
    let begun = *seen.borrow_and_update();
    if begun.way == Way::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect(("127.0.0.1", begun.target)).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let there = pump(near_read, far_write, seen.clone(), false);
    let back = pump(far_read, near_write, seen.clone(), true);
    let broken = async {
        let over = |now: &Now| now.way == Way::Cut || now.generation != begun.generation;
        let _ = seen.wait_for(over).await;
    };
    tokio::select! {
        () = there => {}
        () = back => {}
        () = broken => {}
    }
}

/// Carries one direction; what is late keeps its distance, so a slow way is no narrow one.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut seen: watch::Receiver<Now>,
    slowed: bool,
) {
    let (take, mut taken) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_MAX);
    let now = seen.clone();
    let reading = async move {
        let mut chunk = vec![0_u8; CHUNK_BYTES];
        while let Ok(bytes @ 1..) = from.read(&mut chunk).await {
            let late = match now.borrow().way {
                Way::Slow(late) if slowed => late,
                _ => Duration::ZERO,
            };
            if take
                .send((Instant::now() + late, chunk[..bytes].to_vec()))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((at, bytes)) = taken.recv().await {
            tokio::time::sleep_until(at).await;
            let heard = seen.wait_for(|now| now.way != Way::Silent).await.is_ok();
            if !heard || to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    // The reading side ends first at the end of the stream; what it took is still carried.
    tokio::join!(reading, writing);
}
