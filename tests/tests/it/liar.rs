//! A partner's address that misbehaves: it stands between the gateway and the honest exchange partner.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

/// What it does with the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Answers a status and keeps nothing.
    Answers(u16),
    /// Answers 429 and asks to come back after so many seconds.
    Busy(u32),
    /// Cuts the connection; nothing was taken.
    CutsBefore,
    /// Takes the message, then cuts the connection before the answer.
    CutsAfter,
    /// Takes the message only when it is let go.
    Holds,
}

/// A misbehaving address.
#[derive(Clone)]
pub(crate) struct Liar {
    moods: Arc<Mutex<VecDeque<Mood>>>,
    seen: Arc<Mutex<Vec<String>>>,
    behind: Arc<Mutex<String>>,
    held: Arc<Semaphore>,
    client: reqwest::Client,
}

impl Liar {
    /// Starts it on a free port. Honest until told otherwise. Returns it with its address.
    pub(crate) async fn start() -> (Self, String) {
        let liar = Self {
            moods: Arc::default(),
            seen: Arc::default(),
            behind: Arc::default(),
            held: Arc::new(Semaphore::new(0)),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        };
        let router = Router::new().fallback(take).with_state(liar.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/inbox", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (liar, address)
    }

    /// Who really takes the messages.
    pub(crate) fn stands_before(&self, address: String) {
        *self.behind.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// What it does with the next messages, one each.
    pub(crate) fn will(&self, moods: &[Mood]) {
        self.moods
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(moods);
    }

    /// The message ids of every request, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes one message that it holds.
    pub(crate) fn lets_go(&self) {
        self.held.add_permits(1);
    }

    /// Whether it has done all that it was told to.
    pub(crate) fn is_done(&self) -> bool {
        self.moods
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    async fn forward(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let behind = self
            .behind
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut request = self.client.post(behind).body(body);
        for name in ["authorization", "content-type", "tandem-message-id"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value.clone());
            }
        }
        let answer = request.send().await.unwrap();
        (
            StatusCode::from_u16(answer.status().as_u16()).unwrap(),
            answer.text().await.unwrap(),
        )
            .into_response()
    }
}

async fn take(State(liar): State<Liar>, headers: HeaderMap, body: Bytes) -> Response {
    let id = headers
        .get("tandem-message-id")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    liar.seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(id);
    let mood = liar
        .moods
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front();
    match mood {
        None => liar.forward(&headers, body).await,
        Some(Mood::Answers(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Mood::Busy(seconds)) => (
            StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", seconds.to_string())],
        )
            .into_response(),
        Some(Mood::CutsBefore) => cut(),
        Some(Mood::Holds) => {
            liar.held.acquire().await.unwrap().forget();
            liar.forward(&headers, body).await
        }
        Some(Mood::CutsAfter) => {
            let _answer = liar.forward(&headers, body).await;
            cut()
        }
    }
}

/// Ends the connection's task without an answer.
fn cut() -> Response {
    std::panic::resume_unwind(Box::new("the connection is cut"))
}
