//! A load at a steady rate: each message is sent when its time has come, whether earlier ones were answered or not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::county::http::read_answer;
use crate::minute::Noting;

/// Connections: a message whose time has come while all of them wait for an answer is late, which counts.
const CONNECTIONS: usize = 32;

/// Sends every body once, so many a second.
pub(crate) async fn send(
    address: SocketAddr,
    token: &str,
    rate: u64,
    bodies: Arc<Vec<String>>,
    noting: Noting,
) {
    let (next, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (head, bodies) = (head.clone(), Arc::clone(&bodies));
            let (next, noting) = (Arc::clone(&next), noting.clone());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut answer = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(body) = bodies.get(number) else {
                        return;
                    };
                    let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
                    tokio::time::sleep_until(due.into()).await;
                    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
                    stream.write_all(request.as_bytes()).await.unwrap();
                    read_answer(&mut stream, &mut answer).await;
                    assert!(
                        answer.starts_with(b"HTTP/1.1 202"),
                        "{}",
                        String::from_utf8_lossy(&answer)
                    );
                    noting.accepted(due);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
