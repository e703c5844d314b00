//! An office's end of its lane: counts what it takes, in which order, and can be dead.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::sync::Notify;

/// What an office took.
#[derive(Default)]
struct Taken {
    /// The last message of each family, by its id: ids of messages rise as they are written.
    last: HashMap<String, String>,
    ids: std::collections::HashSet<String>,
    twice: usize,
    out_of_order: usize,
    first_at: Option<Instant>,
    last_at: Option<Instant>,
    by_second: HashMap<u64, usize>,
}

/// One office's inbox.
#[derive(Clone)]
pub(crate) struct Partner {
    taken: Arc<Mutex<Taken>>,
    is_alive: Arc<AtomicBool>,
    pub(crate) more: Arc<Notify>,
}

/// What came since an office was asked to forget.
pub(crate) struct Back {
    pub(crate) count: usize,
    pub(crate) twice: usize,
    pub(crate) out_of_order: usize,
    /// From the first to the last.
    pub(crate) took: Duration,
    pub(crate) busiest_second: usize,
}

impl Partner {
    pub(crate) async fn start() -> (Self, String) {
        let partner = Self {
            taken: Arc::default(),
            is_alive: Arc::new(AtomicBool::new(true)),
            more: Arc::default(),
        };
        let router = Router::new()
            .fallback(post(take))
            .with_state(partner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (partner, format!("http://{address}/inbox"))
    }

    pub(crate) fn set_alive(&self, is_alive: bool) {
        self.is_alive.store(is_alive, Ordering::Release);
    }

    /// Forgets what it took so far.
    pub(crate) fn forget(&self) {
        *self.taken.lock().unwrap() = Taken::default();
    }

    pub(crate) fn count(&self) -> usize {
        self.taken.lock().unwrap().ids.len()
    }

    pub(crate) fn back(&self) -> Back {
        let taken = self.taken.lock().unwrap();
        let took = taken.first_at.zip(taken.last_at);
        Back {
            count: taken.ids.len(),
            twice: taken.twice,
            out_of_order: taken.out_of_order,
            took: took.map_or(Duration::ZERO, |(first, last)| last.duration_since(first)),
            busiest_second: taken.by_second.values().copied().max().unwrap_or(0),
        }
    }
}

async fn take(State(partner): State<Partner>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !partner.is_alive.load(Ordering::Acquire) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let id = headers["tandem-message-id"].to_str().unwrap().to_owned();
    let family = family(&String::from_utf8_lossy(&body));
    let now = Instant::now();
    {
        let mut taken = partner.taken.lock().unwrap();
        if taken.ids.insert(id.clone()) {
            let last = taken.last.insert(family, id.clone());
            taken.out_of_order += usize::from(last.is_some_and(|last| last >= id));
        } else {
            taken.twice += 1;
        }
        let first = *taken.first_at.get_or_insert(now);
        taken.last_at = Some(now);
        *taken
            .by_second
            .entry(now.duration_since(first).as_secs())
            .or_default() += 1;
    }
    partner.more.notify_one();
    StatusCode::ACCEPTED
}

/// The family of which a message tells, as the office knows it.
fn family(document: &str) -> String {
    let start = document.find("cs-").unwrap();
    let digits = document[start + 3..].chars();
    digits.take_while(char::is_ascii_digit).collect()
}
