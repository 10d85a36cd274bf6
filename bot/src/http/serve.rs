//! The socket's side: a bounded number of connections, none of which may stall for ever.

use axum::Router;
use axum::serve::{Listener, ListenerExt as _};
use std::future::{Future as _, IntoFuture as _};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

/// Most connections at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = super::STREAMS_MAX + 1024;
/// A connection to which nothing could be written for so long is cut, in milliseconds.
///
/// Event streams write a heartbeat more often and every other answer begins sooner, so this
/// ends slow headers, idle keep-alive connections and readers that went away.
pub const SILENT_MS_MAX: u64 = 45_000;
/// How long a stop waits for answers that are under way, in milliseconds.
pub const GRACE_MS: u64 = 10_000;
/// What a refused upload may still send so that its sender can read the refusal, in bytes.
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// And for how long, in milliseconds.
const LINGER_MS_MAX: u64 = 1_000;

/// Serves until `stop`, then finishes what is under way within [`GRACE_MS`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    let listener = Patient {
        listener,
        places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        silent_ms: SILENT_MS_MAX,
    };
    serve_patiently(listener, router, stop).await
}

async fn serve_patiently(
    listener: Patient,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    // Tapping is what lets axum hand on the peer's address of a listener of our own.
    let listener = listener.tap_io(|_| {});
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let too_long = async {
        stop.cancelled().await;
        tokio::time::sleep(Duration::from_millis(GRACE_MS)).await;
    };
    tokio::select! {
        served = serving => served,
        () = too_long => {
            tracing::warn!(grace_ms = GRACE_MS, "stopped with answers still under way");
            Ok(())
        }
    }
}

struct Patient {
    listener: TcpListener,
    places: Arc<Semaphore>,
    silent_ms: u64,
}

impl Listener for Patient {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed, so a place always comes.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small frames of an event stream must not wait for one another.
        let _ = stream.set_nodelay(true);
        let connection = Connection {
            stream,
            silent: Box::pin(tokio::time::sleep(Duration::from_millis(self.silent_ms))),
            silent_ms: self.silent_ms,
            lingered: None,
            _place: place,
        };
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

struct Connection {
    stream: TcpStream,
    silent: Pin<Box<Sleep>>,
    silent_ms: u64,
    /// Bytes thrown away since our side was closed.
    lingered: Option<usize>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn within(&mut self, ms: u64) {
        let until = Instant::now() + Duration::from_millis(ms);
        self.silent.as_mut().reset(until);
    }

    /// Pending, or the end of patience.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        match self.silent.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn wrote(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.within(self.silent_ms);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.wait(context),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.wait(context),
            done @ Poll::Ready(_) => done,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Closes our side, then reads on for a moment: closing with unread bytes would reset the
    /// connection and take the answer away from a sender who is still uploading.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut lingered = match self.lingered {
            Some(bytes) => bytes,
            None => {
                ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
                self.within(LINGER_MS_MAX);
                0
            }
        };
        let mut thrown = [0_u8; 8 * 1024];
        while lingered < LINGER_BYTES_MAX {
            self.lingered = Some(lingered);
            let mut buffer = ReadBuf::new(&mut thrown);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    lingered += buffer.filled().len();
                }
                Poll::Ready(_) => break,
                Poll::Pending => match self.silent.as_mut().poll(context) {
                    Poll::Ready(()) => break,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::{any, get};
    use futures_util::{StreamExt as _, stream};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const SILENT_MS: u64 = 1_500;
    /// Longer than any limit that is set here, however busy the machine is.
    const CUT_MAX: Duration = Duration::from_secs(20);

    /// A server that sends a frame four times in its patience on `/frames` and never reads an upload.
    async fn start(connections: usize) -> (SocketAddr, CancellationToken) {
        let frames = get(async || {
            let frames = stream::unfold((), async |()| {
                tokio::time::sleep(Duration::from_millis(SILENT_MS / 4)).await;
                Some((Ok::<_, io::Error>("frame"), ()))
            });
            Body::from_stream(frames.take(12))
        });
        let router = Router::new()
            .route("/frames", frames)
            .route("/refused", any(async || "refused"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Patient {
            listener,
            places: Arc::new(Semaphore::new(connections)),
            silent_ms: SILENT_MS,
        };
        let stop = CancellationToken::new();
        tokio::spawn(serve_patiently(listener, router, stop.clone()));
        (address, stop)
    }

    /// All that the server writes until it closes.
    async fn read_all(stream: &mut TcpStream) -> String {
        let mut read = Vec::new();
        let reading = stream.read_to_end(&mut read);
        let ended = tokio::time::timeout(Duration::from_millis(20 * SILENT_MS), reading).await;
        // A reset after the answer is an end as well.
        assert!(ended.is_ok(), "the server never closes");
        String::from_utf8(read).unwrap()
    }

    #[tokio::test]
    async fn a_connection_that_only_trickles_headers_is_cut() {
        let (address, _stop) = start(8).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = b"GET /frames HTTP/1.1\r\nhost: a\r\nx: ";
        stream.write_all(head).await.unwrap();
        // For as long as anybody takes it.
        let trickles = async {
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let cut = tokio::time::timeout(CUT_MAX, trickles).await;
        assert!(cut.is_ok(), "it trickles for ever");
        assert_eq!(read_all(&mut stream).await, "");
    }

    #[tokio::test]
    async fn a_stream_that_goes_on_writing_is_not_cut() {
        let (address, _stop) = start(8).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /frames HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        assert_eq!(read_all(&mut stream).await.matches("frame").count(), 12);
    }

    #[tokio::test]
    async fn a_sender_who_is_still_uploading_can_read_the_refusal() {
        let (address, _stop) = start(8).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = b"POST /refused HTTP/1.1\r\nhost: a\r\ncontent-length: 8000000\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let uploading = tokio::spawn(async move {
            for _ in 0..1000 {
                writer.write_all(&[b'x'; 8000]).await?;
                tokio::task::yield_now().await;
            }
            io::Result::Ok(())
        });
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        assert!(String::from_utf8(read).unwrap().ends_with("refused"));
        uploading.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn more_connections_than_there_are_places_wait_their_turn() {
        let (address, _stop) = start(1).await;
        let idle = TcpStream::connect(address).await.unwrap();
        let mut next = TcpStream::connect(address).await.unwrap();
        let request = b"GET /refused HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        next.write_all(request).await.unwrap();
        let mut byte = [0_u8; 1];
        let early =
            tokio::time::timeout(Duration::from_millis(SILENT_MS / 4), next.read(&mut byte));
        assert!(early.await.is_err());
        drop(idle);
        assert!(read_all(&mut next).await.ends_with("refused"));
    }
}
