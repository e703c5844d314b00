//! The county's exchange partner: takes NIEM messages by HTTP for the child welfare workers, and
//! sends theirs.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};

use super::draft::{ComanagementDraft, PlanUpdateDraft, ReferralDraft};
use super::niem_read;
use super::niem_write::{self, Envelope};
use super::view::NiemMessage;
use crate::clock::SimClock;
use crate::http_client::{self, Gateway, GatewayAnswer};
use crate::inbox::{Arrival, Inbox, Received, forward_inbox};
use crate::violation::Violation;
use crate::web::WebServer;

/// Larger than any message of the two kinds.
const MOST_BYTES: usize = 1024 * 1024;

/// What the exchange partner needs.
#[derive(Debug, Clone)]
pub struct ExchangePartnerSettings {
    /// Own organisation id, e.g. `org-cws`.
    pub organization: String,
    /// Bearer token that the gateway must show; `None` takes messages without one.
    pub token: Option<String>,
    /// The demo's clock.
    pub clock: SimClock,
}

/// The county's exchange partner: an HTTP inbox for NIEM messages, and a sender of them.
#[derive(Debug)]
pub struct ExchangePartner {
    inbox: Inbox<NiemMessage>,
    settings: ExchangePartnerSettings,
    server: WebServer,
    messages_sent: AtomicU64,
}

forward_inbox!(ExchangePartner, NiemMessage);

impl ExchangePartner {
    /// Starts the inbox on a free port of the loopback interface; it stops when dropped.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(settings: ExchangePartnerSettings) -> anyhow::Result<Self> {
        let inbox = Inbox::default();
        let desk = Desk {
            inbox: inbox.clone(),
            settings: settings.clone(),
        };
        let router = Router::new()
            .route("/inbox", post(take))
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .with_state(desk);
        let server = WebServer::start(|_| router).await?;
        Ok(Self {
            inbox,
            settings,
            server,
            messages_sent: AtomicU64::new(0),
        })
    }

    /// Address to which the gateway posts: `http://127.0.0.1:PORT/inbox`.
    #[must_use]
    pub fn inbox_url(&self) -> String {
        format!("http://{}/inbox", self.server.address)
    }

    /// A case-plan update about the daughter's case, under a new message id.
    #[must_use]
    pub fn plan_update(&self, plan: &PlanUpdateDraft) -> String {
        let (id, at) = (self.next_message_id(), self.settings.clock.rfc3339());
        niem_write::plan_update(&self.envelope(&id, &at), plan)
    }

    /// A referral of the mother, or a change of one, under a new message id.
    #[must_use]
    pub fn referral(&self, referral: &ReferralDraft) -> String {
        let (id, at) = (self.next_message_id(), self.settings.clock.rfc3339());
        niem_write::referral(&self.envelope(&id, &at), referral)
    }

    /// The standing of co-management in the daughter's case, under a new message id.
    #[must_use]
    pub fn comanagement(&self, standing: &ComanagementDraft) -> String {
        let (id, at) = (self.next_message_id(), self.settings.clock.rfc3339());
        niem_write::comanagement(&self.envelope(&id, &at), standing)
    }

    /// Posts a message, as [`ExchangePartner::plan_update`] or [`ExchangePartner::referral`] made it,
    /// to `/v1/inbox/cws-demo/child-welfare/niem`. Posting the same text again is a redelivery.
    ///
    /// # Errors
    /// When the gateway cannot be reached; an error status is an answer.
    pub async fn send(&self, gateway: &Gateway, xml: &str) -> anyhow::Result<GatewayAnswer> {
        let path = "/v1/inbox/cws-demo/child-welfare/niem";
        let answer = http_client::post(gateway, path, "application/xml", xml.to_owned()).await?;
        self.inbox.keep_raw(&answer.body);
        Ok(answer)
    }

    fn envelope<'text>(&'text self, message_id: &'text str, at: &'text str) -> Envelope<'text> {
        Envelope {
            message_id,
            created_at: at,
            submitter: &self.settings.organization,
            basis: "ca_18986_46",
        }
    }

    fn next_message_id(&self) -> String {
        format!(
            "CWS-{:05}",
            self.messages_sent.fetch_add(1, Ordering::Relaxed) + 1
        )
    }
}

/// The receiving side, shared by the requests.
#[derive(Debug, Clone)]
struct Desk {
    inbox: Inbox<NiemMessage>,
    settings: ExchangePartnerSettings,
}

/// `POST /inbox`: 202 taken, 400 not well formed or against the rules, 401, 409 id used before, 415.
async fn take(State(desk): State<Desk>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    desk.inbox.keep_raw(format!("{headers:?}\n{body}"));
    match desk.judge(&headers, &body) {
        Ok(()) => (StatusCode::ACCEPTED, String::new()),
        Err((status, reason)) => (status, reason),
    }
}

impl Desk {
    fn judge(&self, headers: &HeaderMap, body: &str) -> Result<(), (StatusCode, String)> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let refuse = |status, rule: &str, detail: &str| {
            self.inbox
                .complain(Violation::new("POST /inbox", rule, detail));
            Err((status, format!("{rule}: {detail}")))
        };
        if let Some(token) = &self.settings.token
            && text(header::AUTHORIZATION.as_str()) != Some(&format!("Bearer {token}"))
        {
            return refuse(
                StatusCode::UNAUTHORIZED,
                "token",
                "no or another bearer token",
            );
        }
        if !text(header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.contains("xml")) {
            return refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content-type",
                "expected XML",
            );
        }
        if text("tandem-message-id").is_none_or(str::is_empty) {
            return refuse(
                StatusCode::BAD_REQUEST,
                "message-id",
                "no Tandem-Message-Id header",
            );
        }
        match niem_read::read(body) {
            Ok(message) => self.keep(message),
            Err(complaints) => {
                let reasons: Vec<String> = complaints
                    .iter()
                    .map(|(rule, detail)| format!("{rule}: {detail}"))
                    .collect();
                for (rule, detail) in complaints {
                    self.inbox
                        .complain(Violation::new("POST /inbox", rule, detail));
                }
                Err((StatusCode::BAD_REQUEST, reasons.join("; ")))
            }
        }
    }

    fn keep(&self, message: NiemMessage) -> Result<(), (StatusCode, String)> {
        let fingerprint = message.raw.clone();
        let arrival = Received {
            channel: "POST /inbox".to_owned(),
            message_id: message.message_id.clone(),
            at: self.settings.clock.now(),
            content: message,
        };
        match self.inbox.accept(arrival, &fingerprint) {
            Arrival::New | Arrival::Repeated => Ok(()),
            Arrival::Conflicting => {
                Err((StatusCode::CONFLICT, "message id used before".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExchangePartner, ExchangePartnerSettings};
    use crate::clock::SimClock;
    use crate::cws::draft::PlanUpdateDraft;

    async fn post(partner: &ExchangePartner, token: &str, xml: &str) -> u16 {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .tls_certs_only([])
            .no_proxy()
            .build()
            .unwrap();
        client
            .post(partner.inbox_url())
            .bearer_auth(token)
            .header("content-type", "application/xml")
            .header("tandem-message-id", "g-1")
            .body(xml.to_owned())
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    #[tokio::test]
    async fn message_is_taken_once_and_a_bad_one_is_refused_with_its_rule() {
        let settings = ExchangePartnerSettings {
            organization: "org-cws".into(),
            token: Some("t".into()),
            clock: SimClock::starting_at("2026-02-02T17:00:00Z".parse().unwrap()).unwrap(),
        };
        let partner = ExchangePartner::start(settings).await.unwrap();
        let draft = PlanUpdateDraft {
            plan_id: "P".into(),
            goal: "safe at home".into(),
            ..PlanUpdateDraft::default()
        };
        let xml = partner.plan_update(&draft);
        assert_eq!(post(&partner, "wrong", &xml).await, 401);
        assert_eq!(post(&partner, "t", &xml).await, 202);
        assert_eq!(post(&partner, "t", &xml).await, 202);
        assert_eq!(
            post(&partner, "t", &xml.replace("at home", "abroad")).await,
            409
        );
        assert_eq!(
            post(&partner, "t", &xml.replace("lk:DisclosureBasis>", "lk:X>")).await,
            400
        );
        assert_eq!(partner.received().len(), 1);
        let rules: Vec<String> = partner
            .violations()
            .into_iter()
            .map(|violation| violation.rule)
            .collect();
        assert_eq!(rules[..2], ["token", "message-id-reused"]);
        assert!(rules.contains(&"required".to_owned()));
        assert!(partner.contains_text("abroad"));
    }
}
