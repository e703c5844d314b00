//! Match queries over HTTP against a real gateway on loopback whose server has one thread:
//! `cargo run --release -p tandem-tests --example match_queries -- 100000 5`
//! (records in the asker's own index, seconds for each figure).
//!
//! Three figures of one run: a bare handler of the same framework that reads the body and answers with a constant (the
//! floor), questions of the asker's own records (no decision), and questions across systems, each of which is
//! decided, audited and committed before its answer leaves.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tandem::clock::Clock;
use tandem::config::Loaded;
use tandem::demo::deployment::{self, Places};
use tandem::serve::Gateway;
use tandem_matching::{Address, BirthDate, Name, Quality, Record, RecordKey, Ssn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SYSTEM: &str = "calworks-demo";
const CONNECTIONS: usize = 32;

/// Invented people, numbered: names of syllables, so that there are many.
struct Invented(usize);

impl Invented {
    fn name(mut seed: usize, parts: usize) -> String {
        const PARTS: [&str; 24] = [
            "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro",
            "su", "ta", "ve", "wi", "xo", "yu", "za", "bre", "cli", "dro",
        ];
        let mut name = String::new();
        for _ in 0..parts {
            name.push_str(PARTS.get(seed % PARTS.len()).copied().unwrap_or_default());
            seed /= PARTS.len();
        }
        name
    }

    fn given(&self) -> String {
        Self::name(self.0.wrapping_mul(2_654_435_761) % 4_000, 3)
    }

    fn family(&self) -> String {
        Self::name(self.0.wrapping_mul(40_503) % 60_000, 4)
    }

    fn birth(&self) -> String {
        let number = self.0.wrapping_mul(48_271);
        let (year, month) = (1940 + number % 80, 1 + number / 80 % 12);
        format!("{year}-{month:02}-{:02}", 1 + number / 960 % 28)
    }

    fn ssn(&self) -> String {
        format!("9{:08}", self.0 % 100_000_000)
    }

    fn record(&self) -> Record {
        let mut record = Record::new(RecordKey::new(SYSTEM, self.0.to_string()));
        record.names = vec![Name::new(self.given(), String::new(), self.family())];
        record.birth_date = BirthDate::parse(&self.birth(), Quality::default());
        record.ssn = Ssn::parse(&self.ssn());
        record.addresses = vec![Address {
            street: format!("{} Example Avenue {}", self.0 % 900, self.0 / 5_000),
            city: "Sampleton".to_owned(),
            state: "CA".to_owned(),
            zip: format!("9{:04}", self.0 / 5_000 % 10_000),
        }];
        record
    }

    fn question(&self, scope: &str) -> String {
        serde_json::json!({ "scope": scope, "purpose": "COC", "person": {
            "names": [{ "given": self.given(), "family": self.family(), "name_use": "official", "quality": "full" }],
            "birth": { "date": self.birth(), "quality": "exact" },
            "ssn": { "ssn": self.ssn(), "quality": "full" },
        }})
        .to_string()
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let records: usize = arguments
        .next()
        .map_or(100_000, |text| text.parse().unwrap());
    let seconds: u64 = arguments.next().map_or(5, |text| text.parse().unwrap());
    let _provider = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    deploy(folder.path());
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

/// The demo county's deployment, with limits that do not end the measurement.
fn deploy(folder: &Path) {
    let nobody = "http://127.0.0.1:9/fhir".to_owned();
    let places = Places {
        cws_inbox: "http://127.0.0.1:9/".to_owned(),
        clinic: nobody.clone(),
        behavioral_health: nobody,
        partner_token: "unused".to_owned(),
    };
    deployment::write(folder, &places).unwrap();
    let file = folder.join("gateway.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let limits = "limits = { requests_per_second = 200, burst = 400 }";
    let generous =
        "limits = { requests_per_second = 1000000, burst = 1000000, match_quantum_ms = 1 }";
    // Nothing else is to hold the index while it is asked.
    let config = format!("linking = {{ learn = false }}\n{config}");
    let own = format!("[systems.{SYSTEM}]\nown_matches = true\n");
    let config = config
        .replace(limits, generous)
        .replace(&format!("[systems.{SYSTEM}]\n"), &own);
    std::fs::write(&file, config).unwrap();
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

/// Reads one answer whose length its head tells.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) {
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
