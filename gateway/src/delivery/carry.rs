//! Hands written files and FHIR conversations over to a destination.

use std::sync::Arc;

use jiff::Timestamp;
use tandem_adapter_port::conversation::{Conclusion, Conversation, Step, TransportFailure};
use tandem_adapter_port::retry_after::retry_after;
use tandem_adapter_port::write::{Delivery, Fault, WrittenFile};

use super::response::Response;
use crate::clock::Clock;
use crate::transport::folder::ExchangeFolder;
use crate::transport::http::PartnerClient;

/// How a destination is reached.
#[derive(Debug, Clone)]
pub enum Carrier {
    /// A watched folder; the partner acknowledges with a file.
    Folder(Arc<ExchangeFolder>),
    /// An address to which messages are posted.
    Push(PartnerClient, url::Url),
    /// A FHIR server.
    Fhir(PartnerClient),
}

/// Most requests of one conversation, so that no partner can keep us talking.
const MOST_REQUESTS: usize = 64;

/// Longest list of message ids in a header: servers take no longer ones than some thousand bytes (8 KiB a line, in many). A file that
/// carries more is known by its name, and holds the ids.
const LONGEST_IDS: usize = 4_000;

/// What came of handing something over, and how the destination answered.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    pub(super) delivery: Delivery,
    /// `None` when it was not asked.
    pub(super) response: Option<Response>,
    /// Whether the destination may have what was handed over, although it has not said so.
    pub(super) may_have_arrived: bool,
}

impl Carried {
    /// What came of it before the destination was asked.
    pub(super) const fn of(delivery: Delivery) -> Self {
        Self {
            delivery,
            response: None,
            may_have_arrived: false,
        }
    }
}

/// Hands a file over.
pub(super) async fn file(carrier: &Carrier, file: &WrittenFile, now: Timestamp) -> Carried {
    let delivery = match carrier {
        Carrier::Folder(folder) => {
            let (folder, name, bytes) = (Arc::clone(folder), file.name.clone(), file.bytes.clone());
            let put = tokio::task::spawn_blocking(move || folder.put(&name, &bytes)).await;
            match put {
                Ok(Ok(())) => {
                    return Carried {
                        delivery: Delivery::Delivered { reference: None },
                        response: Some(Response::Stored),
                        may_have_arrived: false,
                    };
                }
                Ok(Err(not_put)) => {
                    let kind = not_put.error.kind();
                    let text = format!("cannot write to the exchange folder: {kind}");
                    return Carried {
                        delivery: retry(Fault::Ours, text),
                        response: None,
                        may_have_arrived: not_put.may_be_seen,
                    };
                }
                Err(_) => retry(
                    Fault::Ours,
                    "writing to the exchange folder ended abnormally".to_owned(),
                ),
            }
        }
        Carrier::Push(client, url) => return push(client, url, file, now).await,
        Carrier::Fhir(_) => park(Fault::Ours, "a FHIR server takes no files".to_owned()),
    };
    Carried::of(delivery)
}

async fn push(
    client: &PartnerClient,
    url: &url::Url,
    file: &WrittenFile,
    now: Timestamp,
) -> Carried {
    let ids: Vec<String> = file.messages.iter().map(ToString::to_string).collect();
    let mut request = http::Request::post(url.as_str())
        .header(http::header::CONTENT_TYPE, file.content_type)
        .header("tandem-file-name", &file.name);
    let ids = ids.join(",");
    if ids.len() <= LONGEST_IDS {
        request = request.header("tandem-message-id", ids);
    }
    let request = request.body(file.bytes.clone());
    let Ok(request) = request else {
        let text = "the request cannot be built".to_owned();
        return Carried::of(park(Fault::Ours, text));
    };
    let answer = client.send(request).await;
    let response = Response::of(&answer);
    let delivery = match &answer {
        Ok(answer) => from_status(answer, now),
        Err(failure) => from_failure(failure),
    };
    Carried {
        may_have_arrived: is_open(&delivery) && !response.is_refusal(),
        response: Some(response),
        delivery,
    }
}

/// Whether a destination has not said that it has what was handed over.
pub(super) const fn is_open(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Retry { .. } | Delivery::Park { .. })
}

fn from_status(answer: &http::Response<Vec<u8>>, now: Timestamp) -> Delivery {
    let status = answer.status();
    if status.is_success() {
        return Delivery::Acknowledged { reference: None };
    }
    let after = retry_after(answer.headers(), now);
    let text = format!("the partner answered {}", status.as_u16());
    match status.as_u16() {
        401 | 403 => retry(Fault::Ours, text),
        408 | 425 | 429 | 500.. => Delivery::Retry {
            fault: Fault::Partner,
            after,
            text,
        },
        _ => park(Fault::Partner, text),
    }
}

fn from_failure(failure: &TransportFailure) -> Delivery {
    retry(Fault::Network, failure.to_string())
}

fn retry(fault: Fault, text: String) -> Delivery {
    Delivery::Retry {
        fault,
        after: None,
        text,
    }
}

fn park(fault: Fault, text: String) -> Delivery {
    Delivery::Park { fault, text }
}

/// Carries a conversation to its end.
pub async fn conversation(
    client: &PartnerClient,
    talk: &mut dyn Conversation,
    clock: &Clock,
) -> Conclusion {
    heard(client, talk, clock, &mut Heard::default()).await
}

/// What was heard from a partner in a conversation.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// How it answered last.
    pub(super) last: Option<Response>,
    /// Whether it may have taken something that was written to it.
    pub(super) may_have_taken: bool,
    /// Whether a request that writes is under way.
    pub(super) is_writing: bool,
}

/// Carries a conversation to its end, and notes what it heard.
pub(super) async fn heard(
    client: &PartnerClient,
    talk: &mut dyn Conversation,
    clock: &Clock,
    heard: &mut Heard,
) -> Conclusion {
    let mut answer = None;
    for _ in 0..MOST_REQUESTS {
        let now: Timestamp = clock.now();
        match talk.step(answer.take(), now) {
            Step::Send(request) => {
                heard.is_writing = !request.method().is_safe();
                let came = client.send(*request).await;
                let response = Response::of(&came);
                heard.may_have_taken |= heard.is_writing && !response.is_refusal();
                heard.is_writing = false;
                heard.last = Some(response);
                answer = Some(came);
            }
            Step::Done(conclusion) => return *conclusion,
        }
    }
    Conclusion {
        delivery: Some(retry(
            Fault::Partner,
            format!("the conversation did not end within {MOST_REQUESTS} requests"),
        )),
        ..Conclusion::default()
    }
}
