//! A partner's address that misbehaves: it stands between the gateway and an honest partner.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::Semaphore;

use crate::web::WebServer;

/// What it does with the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes the message as the honest partner does.
    Honest,
    /// The same, after a while.
    Slow(Duration),
    /// Takes the message twice.
    Twice,
    /// Answers a status and keeps nothing.
    Answers(u16),
    /// Takes the message and answers a status all the same.
    TakesAndAnswers(u16),
    /// Answers 429 and asks to come back after so many seconds.
    Busy(u32),
    /// Cuts the connection; nothing was taken.
    CutsBefore,
    /// Takes the message, then cuts the connection before the answer.
    CutsAfter,
    /// Takes the message only when it is let go.
    Holds,
    /// Answers a status, and keeps nothing, only when it is let go.
    HoldsAndAnswers(u16),
    /// Takes the message when it is let go, then cuts the connection before the answer.
    HoldsAndCutsAfter,
}

/// What it does by chance, each as often as it stands here, beside being honest half of the time.
const WHIMS: [Mood; 12] = [
    Mood::Slow(Duration::from_millis(150)),
    Mood::Twice,
    Mood::Answers(500),
    Mood::Answers(503),
    Mood::Answers(408),
    Mood::Answers(409),
    Mood::Answers(412),
    Mood::TakesAndAnswers(502),
    Mood::Busy(1),
    Mood::CutsBefore,
    Mood::CutsAfter,
    Mood::CutsAfter,
];

/// A misbehaving address. Clones share it; it stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct Liar {
    desk: Desk,
    server: Arc<WebServer>,
}

#[derive(Debug, Clone)]
struct Desk {
    state: Arc<Mutex<Wishes>>,
    held: Arc<Semaphore>,
    client: reqwest::Client,
}

#[derive(Debug, Default)]
struct Wishes {
    moods: VecDeque<Mood>,
    chance: Option<StdRng>,
    seen: Vec<String>,
    behind: String,
}

impl Liar {
    /// Starts it on a free port. Honest until told otherwise.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .tls_certs_only([])
            .no_proxy()
            .build()?;
        let desk = Desk {
            state: Arc::default(),
            held: Arc::new(Semaphore::new(0)),
            client,
        };
        let router = Router::new().fallback(take).with_state(desk.clone());
        let server = Arc::new(WebServer::start(|_| router).await?);
        Ok(Self { desk, server })
    }

    /// Address to which the gateway posts.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}/inbox", self.server.address)
    }

    /// Who really takes the messages.
    pub fn stands_before(&self, address: String) {
        self.desk.wishes().behind = address;
    }

    /// What it does with the next messages, one each.
    pub fn will(&self, moods: &[Mood]) {
        self.desk.wishes().moods.extend(moods);
    }

    /// From now on it misbehaves by chance, in half of the requests.
    pub fn misbehaves_by_chance(&self, seed: u64) {
        self.desk.wishes().chance = Some(StdRng::seed_from_u64(seed));
    }

    /// From now on it is honest again.
    pub fn is_honest_again(&self) {
        let mut wishes = self.desk.wishes();
        wishes.chance = None;
        wishes.moods.clear();
    }

    /// The message ids of every request, in order.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.desk.wishes().seen.clone()
    }

    /// Takes one message that it holds.
    pub fn lets_go(&self) {
        self.desk.held.add_permits(1);
    }

    /// Whether it has done all that it was told to.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.desk.wishes().moods.is_empty()
    }
}

impl Wishes {
    fn mood(&mut self) -> Mood {
        if let Some(told) = self.moods.pop_front() {
            return told;
        }
        let Some(chance) = &mut self.chance else {
            return Mood::Honest;
        };
        let place = chance.random_range(0..2 * WHIMS.len());
        WHIMS.get(place).copied().unwrap_or(Mood::Honest)
    }
}

impl Desk {
    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn is_let_go(&self) {
        if let Ok(permit) = self.held.acquire().await {
            permit.forget();
        }
    }

    async fn forward(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let behind = self.wishes().behind.clone();
        let mut request = self.client.post(behind).body(body);
        for name in ["authorization", "content-type", "tandem-message-id"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value.clone());
            }
        }
        let Ok(answer) = request.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let status = answer.status();
        (status, answer.text().await.unwrap_or_default()).into_response()
    }
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    let id = headers
        .get("tandem-message-id")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let mood = {
        let mut wishes = desk.wishes();
        wishes.seen.push(id);
        wishes.mood()
    };
    let answers = |status| {
        StatusCode::from_u16(status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response()
    };
    match mood {
        Mood::Honest => desk.forward(&headers, body).await,
        Mood::Slow(pause) => {
            tokio::time::sleep(pause).await;
            desk.forward(&headers, body).await
        }
        Mood::Twice => {
            let _first = desk.forward(&headers, body.clone()).await;
            desk.forward(&headers, body).await
        }
        Mood::Answers(status) => answers(status),
        Mood::TakesAndAnswers(status) => {
            let _answer = desk.forward(&headers, body).await;
            answers(status)
        }
        Mood::Busy(seconds) => (
            StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", seconds.to_string())],
        )
            .into_response(),
        Mood::CutsBefore => cut(),
        Mood::Holds => {
            desk.is_let_go().await;
            desk.forward(&headers, body).await
        }
        Mood::HoldsAndAnswers(status) => {
            desk.is_let_go().await;
            answers(status)
        }
        Mood::HoldsAndCutsAfter => {
            desk.is_let_go().await;
            let _answer = desk.forward(&headers, body).await;
            cut()
        }
        Mood::CutsAfter => {
            let _answer = desk.forward(&headers, body).await;
            cut()
        }
    }
}

/// Ends the connection's task without an answer.
fn cut() -> Response {
    std::panic::resume_unwind(Box::new("the connection is cut"))
}
