//! HTTP/1.1 as a client needs it that costs little beside the server.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// Reads one answer whose length its head tells.
pub(crate) async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    answer.clear();
    loop {
        assert!(
            stream.read_buf(answer).await.unwrap() > 0,
            "the server hung up"
        );
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next());
        if answer.len() >= end + 4 + length.unwrap().parse::<usize>().unwrap() {
            return;
        }
    }
}
