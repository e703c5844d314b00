//! The floor: a bare server that makes each message durable and hands it to a partner, with nothing in between.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use futures::StreamExt as _;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{Run, load, usage};

/// Writes that share a commit, as in the gateway.
const TOGETHER: usize = 64;
/// Deliveries at one time.
pub(crate) const IN_FLIGHT: usize = 16;

enum Engine {
    Sqlite(Connection),
    Postgres(PgPool),
}

enum Write {
    Accept(Vec<u8>, Bytes, oneshot::Sender<()>),
    Delivered(Vec<u8>, oneshot::Sender<()>),
}

/// Counts what a partner took, and tells when it is so many.
#[derive(Clone, Default)]
pub(crate) struct Partner {
    taken: Arc<AtomicUsize>,
    more: Arc<Notify>,
}

impl Partner {
    /// Starts one that takes everything.
    pub(crate) async fn start(&self) -> SocketAddr {
        let taking = |State(partner): State<Self>, _body: Bytes| async move {
            partner.taken.fetch_add(1, Ordering::AcqRel);
            partner.more.notify_one();
            StatusCode::ACCEPTED
        };
        serve(
            Router::new()
                .fallback(post(taking))
                .with_state(self.clone()),
        )
        .await
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    /// Waits until it took so many.
    pub(crate) async fn has_taken(&self, count: usize) {
        while self.taken() < count {
            self.more.notified().await;
        }
    }
}

pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Measures the floor of so many messages.
pub(crate) async fn run(database: Option<String>, bodies: Arc<Vec<String>>) -> Run {
    let count = bodies.len();
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), database).await;
    let (writes, waiting) = mpsc::channel(1_024);
    engine.write_all(waiting);
    let (deliver, to_deliver) = mpsc::unbounded_channel();
    let accepting =
        |State((writes, deliver)): State<(mpsc::Sender<Write>, mpsc::UnboundedSender<_>)>,
         body: Bytes| async move {
            let key = Sha256::digest(&body).to_vec();
            let (done, durable) = oneshot::channel();
            writes
                .send(Write::Accept(key.clone(), body.clone(), done))
                .await
                .unwrap();
            durable.await.unwrap();
            let _nobody = deliver.send((key, body));
            StatusCode::ACCEPTED
        };
    let router = Router::new()
        .fallback(post(accepting))
        .with_state((writes.clone(), deliver));
    let address = serve(router).await;
    let partner = Partner::default();
    let inbox = format!("http://{}/inbox", partner.start().await);
    tokio::spawn(deliver_all(inbox, writes, to_deliver));
    let (start, used) = (Instant::now(), usage::processor());
    let accepted = load::post(address, "/v1/events", "none", bodies).await;
    partner.has_taken(count).await;
    Run {
        accepted,
        whole: start.elapsed(),
        processor: usage::processor() - used,
    }
}

impl Engine {
    async fn open(folder: &std::path::Path, database: Option<String>) -> Self {
        let table = "CREATE TABLE message (key BLOB PRIMARY KEY, body BLOB NOT NULL, delivered INTEGER NOT NULL)";
        match database {
            None => {
                let connection = Connection::open(folder.join("floor.sqlite")).unwrap();
                let durable = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
                connection.execute_batch(durable).unwrap();
                connection.execute_batch(table).unwrap();
                Self::Sqlite(connection)
            }
            Some(address) => {
                let pool = PgPool::connect(&address).await.unwrap();
                let table = table.replace("BLOB", "BYTEA");
                sqlx::query(sqlx::AssertSqlSafe(table))
                    .execute(&pool)
                    .await
                    .unwrap();
                Self::Postgres(pool)
            }
        }
    }
}

const ACCEPT: &str = "INSERT INTO message (key, body, delivered) VALUES ($1, $2, 0)";
const DELIVERED: &str = "UPDATE message SET delivered = 1 WHERE key = $1";

impl Engine {
    /// Makes what comes durable, as much of it at one time as waits.
    fn write_all(self, waiting: mpsc::Receiver<Write>) {
        match self {
            Self::Sqlite(connection) => {
                tokio::task::spawn_blocking(move || on_sqlite(&connection, waiting));
            }
            Self::Postgres(pool) => {
                tokio::spawn(on_postgres(pool, waiting));
            }
        }
    }
}

fn on_sqlite(connection: &Connection, mut waiting: mpsc::Receiver<Write>) {
    let mut writes = Vec::with_capacity(TOGETHER);
    while waiting.blocking_recv_many(&mut writes, TOGETHER) > 0 {
        let tx = connection.unchecked_transaction().unwrap();
        for write in &writes {
            match write {
                Write::Accept(key, body, _) => {
                    let mut insert = tx.prepare_cached(ACCEPT).unwrap();
                    insert.execute(params![key, &body[..]]).unwrap();
                }
                Write::Delivered(key, _) => {
                    let mut update = tx.prepare_cached(DELIVERED).unwrap();
                    update.execute(params![key]).unwrap();
                }
            }
        }
        tx.commit().unwrap();
        tell(&mut writes);
    }
}

async fn on_postgres(pool: PgPool, mut waiting: mpsc::Receiver<Write>) {
    let mut writes = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut writes, TOGETHER).await > 0 {
        let mut tx = pool.begin().await.unwrap();
        for write in &writes {
            let statement = match write {
                Write::Accept(key, body, _) => sqlx::query(ACCEPT).bind(key).bind(body.to_vec()),
                Write::Delivered(key, _) => sqlx::query(DELIVERED).bind(key),
            };
            statement.execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        tell(&mut writes);
    }
}

fn tell(writes: &mut Vec<Write>) {
    for write in writes.drain(..) {
        let (Write::Accept(_, _, done) | Write::Delivered(_, done)) = write;
        let _gone = done.send(());
    }
}

async fn deliver_all(
    inbox: String,
    writes: mpsc::Sender<Write>,
    mut waiting: mpsc::UnboundedReceiver<(Vec<u8>, Bytes)>,
) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let messages = futures::stream::poll_fn(move |context| waiting.poll_recv(context));
    let deliveries = messages.map(|(key, body)| {
        let (client, inbox, writes) = (client.clone(), inbox.clone(), writes.clone());
        async move {
            let answer = client.post(inbox).body(body).send().await.unwrap();
            assert!(answer.status().is_success());
            let (done, durable) = oneshot::channel();
            writes.send(Write::Delivered(key, done)).await.unwrap();
            durable.await.unwrap();
        }
    });
    deliveries
        .buffer_unordered(IN_FLIGHT)
        .for_each(|()| async {})
        .await;
}
