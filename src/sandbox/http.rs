//! The few requests drctl makes to the sandbox itself, on the loopback.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Long for a loopback: a sandbox that runs functions may be busy for a while.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends one request and returns status and body. `endpoint` is `http://HOST:PORT`.
pub(super) async fn send(endpoint: &str, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
    let host = endpoint.strip_prefix("http://").unwrap_or(endpoint);
    // HTTP/1.0: the answer comes in one piece, and its end is the end of the connection.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let exchange = async {
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        parse(&String::from_utf8_lossy(&answer))
    };
    timeout(PATIENCE, exchange).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Whether the sandbox at `endpoint` is ready for requests.
pub(super) async fn is_healthy(endpoint: &str) -> bool {
    matches!(send(endpoint, "GET", "/_ministack/health", "").await, Ok((200, _)))
}

fn parse(answer: &str) -> io::Result<(u16, String)> {
    let parts = || {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    };
    parts().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        assert_eq!(parse("HTTP/1.1 200 \r\nserver: x\r\n\r\n{}\r\n\r\n").unwrap(), (200, "{}\r\n\r\n".into()));
        assert!(parse("HTTP/1.1 200 OK\r\n").is_err());
        assert!(parse("SSH-2.0\r\n\r\n").is_err());
    }
}
