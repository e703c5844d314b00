//! Match queries over HTTP against a real gateway on loopback whose server has one thread:
//! `cargo run --release -p tandem-tests --example match_queries -- 100000 5`
//! (records in the asker's own index, seconds for each figure).
//!
//! Three figures of one run: a bare handler of the same framework that reads the body and answers with a constant (the
//! floor), questions of the asker's own records (no decision), and questions across systems, each of which is
//! decided, audited and committed before its answer leaves.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

mod county;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::serve::Gateway;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use county::http::read_answer;
use county::{Invented, allow_own_matches, deploy};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 32;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let records: usize = arguments
        .next()
        .map_or(100_000, |text| text.parse().unwrap());
    let seconds: u64 = arguments.next().map_or(5, |text| text.parse().unwrap());
    let _provider = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    deploy(folder.path());
    allow_own_matches(folder.path());
    let token = std::fs::read_to_string(folder.path().join("calworks.token")).unwrap();
    let (gateway, floor) = (serve_gateway(folder.path(), records), serve_floor());
    let question = |address: SocketAddr, scope: &'static str| {
        let token = token.clone();
        Asker {
            address,
            token,
            scope,
            records,
            seconds,
        }
    };
    report("floor: a bare handler", question(floor, "own"));
    report("own records, no decision", question(gateway, "own"));
    report(
        "across systems, decision recorded",
        question(gateway, "others"),
    );
}

/// Runs a server on a runtime of one thread and gives its address.
fn one_thread<F>(
    serve: impl FnOnce(std::sync::mpsc::Sender<SocketAddr>) -> F + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = ()>,
{
    let (sender, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(serve(sender));
    });
    address.recv().unwrap()
}

fn serve_gateway(folder: &Path, records: usize) -> SocketAddr {
    let file = folder.join("gateway.toml");
    one_thread(move |sender| async move {
        let loaded = Loaded::from_file(&file).unwrap();
        let gateway = Box::pin(Gateway::start(loaded, Clock::System))
            .await
            .unwrap();
        let start = Instant::now();
        let mut matcher = gateway.core.matcher.lock().await;
        for number in 0..records {
            matcher.insert(&Invented(number).record());
        }
        println!(
            "{} records indexed, and again for their own system, in {:.1?}",
            matcher.len(),
            start.elapsed()
        );
        drop(matcher);
        sender.send(gateway.address).unwrap();
        std::future::pending::<()>().await;
    })
}

fn serve_floor() -> SocketAddr {
    one_thread(|sender| async move {
        let answer = |_question: String| async { "{\"matches\":[]}" };
        let router = axum::Router::new().route("/v1/match", axum::routing::post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        sender.send(listener.local_addr().unwrap()).unwrap();
        axum::serve(listener, router).await.unwrap();
    })
}

/// Who asks, and how long.
struct Asker {
    address: SocketAddr,
    token: String,
    scope: &'static str,
    records: usize,
    seconds: u64,
}

fn report(what: &str, asker: Asker) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let mut times = runtime.unwrap().block_on(ask_all(Arc::new(asker)));
    let (times, elapsed) = (&mut times.0, times.1);
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    let rate = times.len() as f64 / elapsed.as_secs_f64();
    println!(
        "{what}: {rate:.0}/s, p50 {:.2?}, p99 {:.2?} with {CONNECTIONS} connections",
        at(50),
        at(99)
    );
}

async fn ask_all(asker: Arc<Asker>) -> (Vec<Duration>, Duration) {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(ask(Arc::clone(&asker), Arc::clone(&next), start)))
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    (times, start.elapsed())
}

async fn ask(asker: Arc<Asker>, next: Arc<AtomicUsize>, start: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(asker.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut answer) = (Vec::new(), Vec::new());
    while start.elapsed() < Duration::from_secs(asker.seconds) {
        let number = next.fetch_add(7_919, Ordering::Relaxed) % asker.records;
        let body = Invented(number).question(asker.scope);
        let request = format!(
            "POST /v1/match HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            asker.token,
            body.len()
        );
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream, &mut answer).await;
        times.push(asked.elapsed());
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    times
}
