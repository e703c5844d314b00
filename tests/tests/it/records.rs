//! After the whole story: what the store and the logs hold.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use tandem::config::Loaded;
use tandem::demo::{Options, run};
use tandem::seal::Sealer;
use tandem::state::episode::EpisodeDoc;
use tandem::state::referral::ReferralDoc;
use tandem::store::{Store, WaitingEvent};
use tandem_coordination::referral::{Decision, Readiness, Referral, ReferralFact, Rules, Sides};
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::referral::{ReferralRef, SubStatus};
use tandem_simulators::family::{self, demo_family};

use crate::county::provider;

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_story_logs_no_personal_data_and_its_state_can_be_rebuilt_from_the_events() {
    provider();
    let log = Log::default();
    let writer = log.clone();
    // Other tests of the process log into it as well: all the better.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        folder: Some(folder.path().to_owned()),
        ..Options::default()
    };
    assert!(Box::pin(run(options)).await.unwrap());
    tracing::info!("the story is over");

    let text = log.text();
    assert!(text.contains("the story is over"), "nothing was collected");
    let families = [
        demo_family(),
        family::sealed_family(),
        family::sensitive_family(),
        family::sheltered_family(),
    ];
    let people = families.iter().flat_map(|family| &family.members);
    let words = people.flat_map(|one| {
        [
            one.ssn.clone(),
            one.cin.clone(),
            one.birth_date.to_string(),
            one.first_name.clone(),
        ]
    });
    let lines: Vec<&str> = text.lines().filter(|line| is_ours(line)).collect();
    for word in words.chain([
        family::CWS_SURNAME.to_owned(),
        "5305550142".to_owned(),
        "Invented Lane".to_owned(),
    ]) {
        // Short given names stand in other words; whole words are meant.
        let found = lines.iter().find(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '-')
                .any(|part| part == word)
        });
        assert!(found.is_none(), "a log line says {word}: {found:?}");
    }

    let store = reopened(folder.path()).await;
    let events = store
        .snapshot()
        .await
        .unwrap()
        .events_as_applied(0, 1_000_000)
        .await
        .unwrap()
        .1;
    let documents = store
        .snapshot()
        .await
        .unwrap()
        .all::<ReferralDoc>()
        .await
        .unwrap();
    assert_eq!(
        documents.len(),
        4,
        "shelter, counselling, and child care twice"
    );
    for document in documents {
        let rebuilt = fold(&document, &events);
        assert_eq!(
            rebuilt, document.state,
            "the referral {:?} is not what its events say",
            document.source_ref
        );
    }
    let kept = store
        .snapshot()
        .await
        .unwrap()
        .all::<EpisodeDoc>()
        .await
        .unwrap();
    assert!(!kept.is_empty());
    let loaded = Loaded::from_file(&folder.path().join("gateway.toml")).unwrap();
    let rebuilt = crate::rebuild::episodes(&loaded, &events);
    assert_eq!(rebuilt.len(), kept.len());
    for document in kept {
        let from_events = &rebuilt[&document.id];
        assert_eq!(from_events.members, document.members);
        assert_eq!(from_events.episode, document.episode);
        assert_eq!(from_events.steps, document.steps);
    }
    store.close().await;
}

/// Lines of our own code and of the libraries in it; the simulators' HTTP servers live in the same process.
fn is_ours(line: &str) -> bool {
    !line.contains("tandem_simulators")
}

async fn reopened(folder: &std::path::Path) -> Store {
    let loaded = Loaded::from_file(&folder.join("gateway.toml")).unwrap();
    let data = &loaded.config.data;
    let sealer =
        Sealer::open_or_create(&data.join("root.key"), loaded.config.jurisdiction.clone()).unwrap();
    Store::of(&loaded.config, sealer).await.unwrap()
}

/// A referral's state from the events alone; which message carried what stands in its document.
pub(crate) fn fold(document: &ReferralDoc, events: &[WaitingEvent]) -> Referral {
    let rules = Rules::shipped().unwrap();
    let sides = Sides {
        source: document.source.clone(),
        target: document.target.clone(),
        gateway: "gateway".parse().unwrap(),
    };
    let mut state = Referral::default();
    let mut target_refs: BTreeMap<String, ()> = BTreeMap::new();
    target_refs.extend(document.target_ref.clone().map(|reference| (reference, ())));
    for event in events.iter().map(|waiting| &waiting.event) {
        let at = event.recorded_at;
        let mut facts = Vec::new();
        match &event.told.body {
            Body::DeliverySent(told) if Some(told.message) == document.request_message => {
                // A file in the exchange folder is sent; its acknowledgement says that it is delivered.
                facts.push(ReferralFact::RequestSent { at });
            }
            Body::DeliveryAcknowledged(told) => {
                if Some(told.message) == document.request_message {
                    facts.extend([
                        ReferralFact::RequestSent { at },
                        ReferralFact::RequestDelivered { at },
                    ]);
                }
                if Some(told.message) == document.outcome_message {
                    facts.push(ReferralFact::OutcomeAcknowledged { at });
                }
            }
            body => {
                let is_named = reference_of(body)
                    .is_some_and(|reference| names(document, event.system.as_str(), reference));
                let fact = ReferralFact::of(event, &sides, Readiness::complete());
                facts.extend(fact.filter(|_| is_named).map(|fact| awaiting(event, fact)));
            }
        }
        for fact in facts {
            // Repeats and our own words read back change nothing, here as there.
            let _decision: Result<Decision, _> = state.apply(&rules, &fact);
        }
    }
    state
}

/// A draft that the gateway keeps waits for consent; one that the source wrote waits for the source.
fn awaiting(event: &Event, fact: ReferralFact) -> ReferralFact {
    let is_draft = matches!(event.told.body, Body::ReferralDrafted(_));
    match fact {
        ReferralFact::Opened {
            wish,
            urgency,
            part_of,
            readiness,
        } if is_draft && event.told.source_event_id.as_str().starts_with("gateway:") => {
            ReferralFact::Opened {
                wish: wish.with(SubStatus::AwaitingConsent),
                urgency,
                part_of,
                readiness,
            }
        }
        other => other,
    }
}

fn reference_of(body: &Body) -> Option<&ReferralRef> {
    match body {
        Body::ReferralDrafted(request) | Body::ReferralRequested(request) => {
            Some(&request.referral)
        }
        Body::ReferralAccepted(update)
        | Body::ReferralRejected(update)
        | Body::ReferralInProgress(update)
        | Body::ReferralOnHold(update)
        | Body::ReferralClosed(update)
        | Body::ReferralCancelled(update)
        | Body::ReferralError(update) => Some(&update.referral),
        Body::ReferralContact(contact) => Some(&contact.referral),
        _ => None,
    }
}

fn names(document: &ReferralDoc, system: &str, reference: &ReferralRef) -> bool {
    if let Some(id) = reference.id {
        return id == document.id;
    }
    let given = [&reference.source_ref, &reference.target_ref]
        .into_iter()
        .flatten();
    let of_source = system == document.source.as_str();
    let own = if of_source {
        &document.source_ref
    } else {
        &document.target_ref
    };
    given.into_iter().any(|one| Some(one) == own.as_ref())
}
