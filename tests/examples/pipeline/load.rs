//! The load: so many connections that each post the next message when the last was answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::county::http::read_answer;

pub(crate) const CONNECTIONS: usize = 64;

/// How messages were accepted.
pub(crate) struct Accepted {
    /// The time of each answer, in order of length.
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Accepted {
    /// Messages a second.
    pub(crate) fn rate(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The time within which so many percent were answered.
    pub(crate) fn at(&self, percent: usize) -> Duration {
        let place = (self.times.len() * percent / 100).min(self.times.len() - 1);
        self.times[place]
    }
}

/// Posts every body once.
pub(crate) async fn post(
    address: SocketAddr,
    path: &str,
    token: &str,
    bodies: Arc<Vec<String>>,
) -> Accepted {
    let (next, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            tokio::spawn(connection(
                address,
                head.clone(),
                Arc::clone(&bodies),
                Arc::clone(&next),
            ))
        })
        .collect();
    let mut times = Vec::with_capacity(bodies.len());
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let elapsed = start.elapsed();
    times.sort_unstable();
    Accepted { times, elapsed }
}

async fn connection(
    address: SocketAddr,
    head: String,
    bodies: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut answer) = (Vec::new(), Vec::new());
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream, &mut answer).await;
        times.push(asked.elapsed());
        assert!(
            answer.starts_with(b"HTTP/1.1 202"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    times
}
