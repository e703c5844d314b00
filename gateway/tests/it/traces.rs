//! Traces hold from what is received to each attempt, over a restart; they say nothing of people and nothing to partners, and a
//! collector that is away or hangs holds nothing up.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it unwraps"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::SignedDuration;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use reqwest::Method;
use tandem::demo::Options;
use tandem::store::OutboxState;
use tandem_simulators::family;

use crate::api_office::Office;
use crate::api_referrals::{asked, request};

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector {
    sent: Arc<Mutex<Vec<Bytes>>>,
    hangs: Arc<AtomicBool>,
}

/// A span as it came.
#[derive(Debug, Clone)]
struct Seen {
    name: String,
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    fields: BTreeMap<String, String>,
}

impl Seen {
    fn says(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

async fn take(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    if collector.hangs.load(Ordering::SeqCst) {
        return std::future::pending().await;
    }
    collector.sent.lock().unwrap().push(body);
    StatusCode::OK
}

async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let app = Router::new()
            .route("/v1/traces", post(take))
            .with_state(collector.clone());
        (collector, serve(app).await)
    }

    fn spans(&self) -> Vec<Seen> {
        let sent = self.sent.lock().unwrap();
        let requests = sent.iter().map(|bytes| {
            let request = ExportTraceServiceRequest::decode(bytes.as_ref());
            request.unwrap_or_else(|error| panic!("no protobuf of OTLP: {error}"))
        });
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans).map(|span| {
            let fields = span.attributes.into_iter().map(|field| {
                let value = match field.value.unwrap().value.unwrap() {
                    Value::StringValue(text) => text,
                    other => panic!("{other:?} is no text"),
                };
                (field.key, value)
            });
            assert!(span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty());
            Seen {
                fields: fields.collect(),
                name: span.name,
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
            }
        });
        spans.collect()
    }

    /// Everything that was sent, as it went over the wire.
    fn bytes(&self) -> Vec<u8> {
        self.sent.lock().unwrap().concat()
    }
}

/// Child welfare's inbox, which is ill at first.
#[derive(Clone, Default)]
struct Inbox {
    is_well: Arc<AtomicBool>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
}

async fn answer(State(inbox): State<Inbox>, headers: HeaderMap) -> StatusCode {
    inbox.headers.lock().unwrap().push(headers);
    if inbox.is_well.load(Ordering::SeqCst) {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

async fn office(inbox: &Inbox, collector: &str) -> Office {
    let app = Router::new()
        .route("/", post(answer))
        .with_state(inbox.clone());
    let address = serve(app).await;
    let push = format!("push = {{ url = \"http://{address}/\" }}");
    Office::changed(|_, text| {
        let text = text.replace(
            "folder = { path = \"exchange/cws-demo\", poll_ms = 20 }",
            &push,
        );
        format!("{text}\n[telemetry]\notlp = \"{collector}\"\n")
    })
    .await
}

fn holds(whole: &[u8], part: &str) -> bool {
    whole
        .windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_after_a_restart_belongs_to_the_trace_of_the_request() {
    let (collector, address) = Collector::start().await;
    let inbox = Inbox::default();
    let office = office(&inbox, &format!("http://{address}")).await;
    asked(&office).await;
    let failed = office.message("cws-demo", OutboxState::Failed).await;
    let folder = office.stopped().await;
    let before = collector.spans();

    inbox.is_well.store(true, Ordering::SeqCst);
    let office = Office::again(folder).await;
    let core = office.core();
    let later = core.clock.now() + SignedDuration::from_hours(6);
    core.clock.set(later);
    let told = office.message("cws-demo", OutboxState::Acknowledged).await;
    assert_eq!(told.id, failed.id);
    drop(office.stopped().await);
    let spans = collector.spans();

    let message = told.id.to_string();
    let of_message = |name: &str| -> Vec<Seen> {
        let own = spans
            .iter()
            .filter(|span| span.name == name && span.says("tandem.message") == message);
        own.cloned().collect()
    };
    let attempts = of_message("attempt");
    let outcomes: Vec<&str> = attempts
        .iter()
        .map(|span| span.says("tandem.outcome"))
        .collect();
    assert_eq!(outcomes.last(), Some(&"acknowledged"), "{outcomes:?}");
    assert!(
        outcomes.len() >= 2
            && outcomes[..outcomes.len() - 1]
                .iter()
                .all(|one| *one == "retry")
    );
    assert!(before.len() < spans.len() && before.iter().any(|span| span.name == "attempt"));
    // All of them, and what they consist of, belong to the trace that began with the request.
    let trace = &attempts[0].trace;
    assert!(attempts.iter().all(|span| span.trace == *trace));
    let whole: Vec<&Seen> = spans.iter().filter(|span| span.trace == *trace).collect();
    let roots: Vec<&&Seen> = whole.iter().filter(|span| span.parent.is_empty()).collect();
    assert_eq!(roots.len(), 1, "{roots:?}");
    assert_eq!(roots[0].name, "request");
    assert_eq!(roots[0].says("http.route"), "/v1/referrals");
    let known: BTreeSet<&[u8]> = whole.iter().map(|span| span.id.as_slice()).collect();
    for span in &whole {
        assert!(
            span.parent.is_empty() || known.contains(span.parent.as_slice()),
            "{span:?}"
        );
    }
    let names: BTreeSet<&str> = whole.iter().map(|span| span.name.as_str()).collect();
    for name in [
        "accept",
        "apply",
        "decide",
        "compose",
        "attempt",
        "acknowledge",
    ] {
        assert!(names.contains(name), "{name} is not in {names:?}");
    }
    assert!(
        of_message("decide").len() > attempts.len(),
        "at the outbox, and before each attempt"
    );
    // The record that came before is another matter, with a trace of its own.
    let matches: Vec<&Seen> = spans.iter().filter(|span| span.name == "match").collect();
    assert!(!matches.is_empty() && matches.iter().all(|span| span.trace != *trace));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trace_goes_out_to_a_partner_and_none_that_comes_in_is_continued() {
    let (collector, address) = Collector::start().await;
    let inbox = Inbox::default();
    inbox.is_well.store(true, Ordering::SeqCst);
    let office = office(&inbox, &format!("http://{address}")).await;
    asked(&office).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", parent.as_str()),
        ("tracestate", "partner=1"),
    ];
    let body = request("R-205").to_string();
    let answer = office
        .send(
            "calworks",
            Method::POST,
            "/v1/referrals",
            &headers,
            Some(body),
        )
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let message = office.message("cws-demo", OutboxState::Acknowledged).await;
    assert!(message.trace.is_some());
    let told = ["traceparent", "tracestate", "baggage", "b3"];
    assert!(told.iter().all(|name| answer.headers.get(*name).is_none()));
    drop(office.stopped().await);
    let heard = inbox.headers.lock().unwrap();
    assert!(!heard.is_empty());
    for headers in heard.iter() {
        assert!(
            told.iter().all(|name| headers.get(*name).is_none()),
            "{headers:?}"
        );
    }
    let spans = collector.spans();
    assert!(
        spans
            .iter()
            .any(|span| span.says("http.route") == "/v1/referrals")
    );
    let theirs: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&trace[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    assert!(spans.iter().all(|span| span.trace != theirs));
}

/// Waits until the figures tell that spans did not get to the collector.
async fn lost_spans_are_counted(office: &Office) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let counted = async {
        loop {
            let shown = office.get("operator", "/metrics").await.text;
            let failed = "tandem_trace_spans_total{outcome=\"failed\"} ";
            let count = shown.lines().find_map(|line| line.strip_prefix(failed));
            if count.unwrap() != "0" {
                return;
            }
            ticks.tick().await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, counted).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_or_is_away_holds_nothing_up() {
    let (collector, address) = Collector::start().await;
    collector.hangs.store(true, Ordering::SeqCst);
    // The one that is away comes first: the figures of a process are for all of its gateways.
    for place in ["http://127.0.0.1:9".to_owned(), format!("http://{address}")] {
        let inbox = Inbox::default();
        inbox.is_well.store(true, Ordering::SeqCst);
        let office = office(&inbox, &place).await;
        asked(&office).await;
        office.message("cws-demo", OutboxState::Acknowledged).await;
        if !place.contains(&address.to_string()) {
            lost_spans_are_counted(&office).await;
        }
        let stopping = Instant::now();
        drop(office.stopped().await);
        assert!(stopping.elapsed() < Duration::from_secs(12), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_family_stands_in_the_traces_of_its_story() {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let (collector, address) = Collector::start().await;
    let options = Options {
        otlp: Some(format!("http://{address}").parse().unwrap()),
        ..Options::default()
    };
    assert!(Box::pin(tandem::demo::run(options)).await.unwrap());

    let (spans, bytes) = (collector.spans(), collector.bytes());
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let all = [
        "accept",
        "acknowledge",
        "apply",
        "attempt",
        "compose",
        "decide",
        "match",
        "request",
    ];
    assert_eq!(names, BTreeSet::from(all));
    let fields: BTreeSet<&str> = spans
        .iter()
        .flat_map(|span| span.fields.keys().map(String::as_str))
        .collect();
    assert!(fields.contains("tandem.message") && fields.contains("tandem.lane"));
    let mut personal: Vec<String> = [
        family::CALWORKS_CASE,
        family::CALWORKS_WORKER,
        family::CALWORKS_WORKER_PHONE,
        family::CWS_SURNAME,
        family::CWS_WORKER,
        family::CWS_MARISOL,
        family::CWS_ANA,
        family::CWS_LEO,
        family::CWS_CASE_ANA,
        family::CWS_CASE_LEO,
        family::CWS_CASE_ANA_SCREEN,
        family::CWS_CASE_LEO_SCREEN,
        family::HMIS_ENROLLMENT,
        family::CLINIC_PATIENT,
        family::BH_PATIENT,
    ]
    .map(str::to_owned)
    .to_vec();
    for member in family::demo_family().members {
        personal.extend([member.first_name, member.last_name, member.ssn, member.cin]);
        personal.push(member.birth_date.to_string());
        personal.push(member.birth_date.strftime("%Y%m%d").to_string());
        personal.push(member.birth_date.strftime("%m/%d/%Y").to_string());
    }
    // Short words and numbers occur in random bytes by chance: they are looked for as whole values.
    for word in &personal {
        let is_there = if word.len() < 6 {
            let values = spans.iter().flat_map(|span| span.fields.values());
            values.clone().any(|value| holds_word(value, word))
        } else {
            holds(&bytes, word)
        };
        assert!(!is_there, "{word} stands in a trace");
    }
    for number in [
        family::HMIS_MARISOL,
        family::HMIS_ANA,
        family::HMIS_LEO,
        family::HMIS_HOUSEHOLD,
    ] {
        let mut values = spans.iter().flat_map(|span| span.fields.values());
        assert!(values.all(|value| !holds_word(value, number)), "{number}");
    }
}

/// Whether a text holds a word by itself.
fn holds_word(text: &str, word: &str) -> bool {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.into_iter().any(|one| one.eq_ignore_ascii_case(word))
}
