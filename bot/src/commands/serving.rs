//! Whether the server that runs with these settings answers, for a container that has no other program to ask it with.

use super::doctor::{Finding, fine, wrong};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest that an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Bytes of an answer that are read: its first line is enough.
const ANSWER_BYTES_MAX: u64 = 1_024;

/// Asks `/healthz`, which a server answers also while a store is away: starting it anew would not bring the store back.
pub(super) async fn answers(listen: SocketAddr) -> Finding {
    let at = reachable(listen);
    let asked = tokio::time::timeout(ANSWER_MAX, asked(at)).await;
    match asked {
        Ok(Ok(line)) if line.contains(" 200 ") => fine("serving", format!("{at} answers")),
        Ok(Ok(line)) => wrong(
            "serving",
            format!("{at} answers `{line}`"),
            "see whether another program listens there",
        ),
        Ok(Err(error)) => wrong(
            "serving",
            format!("{at}: {error}"),
            "start the server, or correct `listen`",
        ),
        Err(_) => wrong(
            "serving",
            format!("{at}: no answer within {} s", ANSWER_MAX.as_secs()),
            "the server hangs or has far too much to do; look at its log and start it anew",
        ),
    }
}

/// A server that listens on every address is asked on this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The first line of the answer.
async fn asked(at: SocketAddr) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(at).await?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    connection
        .take(ANSWER_BYTES_MAX)
        .read_to_end(&mut answer)
        .await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
