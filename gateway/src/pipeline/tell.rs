//! Decides whether a proposal may be told, and writes it into the outbox: decided when the row is written, and again
//! before each attempt.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tandem_adapter_port::outbound::{Notice, Outbound, Party};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::Body;
use tandem_mappings::model::id::{DecisionId, MessageId, PersonId, SystemId};
use tandem_mappings::model::message::DeliveryTold;
use tandem_mappings::model::purpose::Purpose;

use super::core::Core;
use super::judge::{Ask, AskedItem, Judged, Weighed};
use super::proposal::{Part, Proposal, ProposedItem, ProposedPerson};
use crate::store::{NewDecision, OutboxRow, OutboxState, Stage, StoreError, Tx};
use crate::traces::{Field, Place, Step};

/// The answer about one proposal.
#[derive(Debug)]
pub struct Ruling {
    /// The decision about the main subject: the message's decision.
    pub decision: DecisionId,
    /// The permitted view; `None` when nothing may be told.
    pub outbound: Option<Outbound>,
    weighed: Vec<Weighed>,
    /// People who may not be named.
    hidden_people: BTreeSet<PersonId>,
    /// Element groups that the decision about another person takes away.
    hidden_items: BTreeSet<String>,
}

impl Ruling {
    /// The element groups about the main subject that may be told.
    #[must_use]
    pub fn permitted(&self) -> Vec<String> {
        let main = self.weighed.first().filter(|_| self.outbound.is_some());
        let permitted = main
            .into_iter()
            .flat_map(|one| one.judged.decision.permitted());
        permitted
            .filter(|item| !self.hidden_items.contains(*item))
            .map(str::to_owned)
            .collect()
    }

    /// The people of a proposal who may be named.
    #[must_use]
    pub fn told_people(&self, proposal: &Proposal) -> Vec<PersonId> {
        let people = proposal.people.iter().map(|one| one.person);
        people
            .filter(|person| !self.hidden_people.contains(person))
            .collect()
    }

    /// Whether any of the element groups may not be told, or any of the people not named.
    #[must_use]
    pub fn withholds(&self, items: &[String], people: &[PersonId]) -> bool {
        let permitted = self.permitted();
        items.iter().any(|item| !permitted.contains(item))
            || people
                .iter()
                .any(|person| self.hidden_people.contains(person))
    }

    /// What was decided, for comparison with an earlier ruling: without ids and times.
    #[must_use]
    pub fn answer(&self) -> serde_json::Value {
        let decisions = self.weighed.iter().map(|one| &one.judged.decision);
        decisions
            .map(|decision| serde_json::json!([decision.bundle, decision.items]))
            .collect()
    }

    /// Every decision of the ruling, as it is recorded.
    ///
    /// # Errors
    /// When one can't be written down.
    pub fn rows(&self, stage: Stage, now: Timestamp) -> Result<Vec<NewDecision>, StoreError> {
        let rows = self.weighed.iter().map(|weighed| weighed.row(stage, now));
        rows.collect()
    }

    /// Records every decision of the ruling.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(
        &self,
        tx: &mut Tx,
        stage: Stage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for row in self.rows(stage, now)? {
            tx.add_decision(row).await?;
        }
        Ok(())
    }
}

/// Weighs a proposal in a snapshot: once for the main subject with all items, once for each other person.
///
/// # Errors
/// When the store fails.
pub async fn weigh(
    core: &Core,
    tx: &mut Tx,
    id: MessageId,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<Ruling, StoreError> {
    let decide = core.traces.begin(Step::Decide, None);
    decide.note(Field::Message, id);
    decide.note(Field::Lane, &proposal.recipient_system);
    decide.note(Field::Kind, proposal.kind());
    let ruling = Box::pin(ruled(core, tx, id, proposal, now));
    let ruling = decide.around(ruling).await;
    if let Ok(ruling) = &ruling {
        let is_told = ruling.outbound.is_some();
        decide.note(Field::Outcome, if is_told { "permitted" } else { "denied" });
    }
    ruling
}

async fn ruled(
    core: &Core,
    tx: &mut Tx,
    id: MessageId,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<Ruling, StoreError> {
    let main = proposal.people.first().map(|one| one.person);
    let mut weighed = vec![
        core.judge
            .weigh(tx, ask(proposal, main, &proposal.items), now)
            .await?,
    ];
    let mut hidden = BTreeSet::new();
    let mut hide_contact = false;
    for other in proposal.people.iter().skip(1) {
        let about: Vec<_> = proposal
            .items
            .iter()
            .filter(|item| matches!(item.part, Part::Body | Part::Identity | Part::Contact))
            .cloned()
            .collect();
        let judged = core
            .judge
            .weigh(tx, ask(proposal, Some(other.person), &about), now)
            .await?;
        for item in about.iter().filter(|item| !judged.judged.permits(&item.id)) {
            match item.part {
                // A family shares its address: what hides one person's place hides everybody's.
                Part::Contact => hide_contact = true,
                _ => {
                    hidden.insert(other.person);
                }
            }
        }
        weighed.push(judged);
    }
    let first = weighed
        .first()
        .map(|one| one.judged.clone())
        .ok_or(StoreError::Shape { kind: "decision" })?;
    let denied: BTreeSet<String> = proposal
        .items
        .iter()
        .filter(|item| hide_contact && item.part == Part::Contact)
        .map(|item| item.id.clone())
        .collect();
    let outbound = render(
        core,
        id,
        proposal,
        &first,
        &Hidden {
            people: &hidden,
            items: &denied,
        },
        now,
    );
    Ok(Ruling {
        decision: first.id,
        outbound,
        weighed,
        hidden_people: hidden,
        hidden_items: denied,
    })
}

fn ask<'a>(proposal: &'a Proposal, person: Option<PersonId>, items: &[ProposedItem]) -> Ask<'a> {
    let about = proposal
        .people
        .iter()
        .find(|one| Some(one.person) == person);
    let items = items.iter().map(|item| AskedItem {
        id: item.id.clone(),
        category: item.category,
        labels: with_persons(item, about, &item.labels, |one| &one.labels),
        labelled_by: with_persons(item, about, &item.labelled_by, |one| &one.labelled_by),
        source: item.source.clone(),
        authored: item.authored,
    });
    Ask {
        action: proposal.action,
        purpose: Purpose::CoordinationOfCare,
        requester: &proposal.sender,
        recipient: &proposal.recipient,
        person,
        items: items.collect(),
        holds_copy: proposal.action == tandem_consent::Action::Notify,
        serves_subject: proposal
            .people
            .iter()
            .any(|one| Some(one.person) == person && one.view.person.is_some()),
    }
}

/// The labels of an element group or their reasons, with those of the person where it shows who or where that is.
fn with_persons(
    item: &ProposedItem,
    about: Option<&ProposedPerson>,
    own: &BTreeSet<String>,
    of_person: impl Fn(&ProposedPerson) -> &BTreeSet<String>,
) -> BTreeSet<String> {
    let shows = matches!(item.part, Part::Identity | Part::Contact);
    let persons = about.filter(|_| shows).map(of_person);
    own.iter()
        .chain(persons.into_iter().flatten())
        .cloned()
        .collect()
}

/// What the decisions about the other people of a message take away.
struct Hidden<'a> {
    people: &'a BTreeSet<PersonId>,
    items: &'a BTreeSet<String>,
}

fn render(
    core: &Core,
    id: MessageId,
    proposal: &Proposal,
    judged: &Judged,
    hidden: &Hidden<'_>,
    now: Timestamp,
) -> Option<Outbound> {
    let permits = |item: &str| judged.decision.permits(item, now) && !hidden.items.contains(item);
    let tells = |person: PersonId| !hidden.people.contains(&person);
    let (people, body) = proposal.redacted(&permits, &tells)?;
    let party = |organization| Party {
        id: Clone::clone(organization),
        name: core.name_of(organization),
    };
    let labels: BTreeSet<String> = proposal
        .items
        .iter()
        .filter(|item| permits(&item.id))
        .flat_map(|item| {
            item.labels
                .iter()
                .cloned()
                .chain(category_label(item.category))
        })
        .chain(judged.decision.refrains.iter().cloned())
        .collect();
    Some(Outbound {
        id,
        effect_key: proposal.effect_key.clone(),
        decision: judged.id,
        basis: judged.basis(),
        consent: judged.consent(),
        notices: notices(core, judged),
        labels: labels.into_iter().collect(),
        created_at: now,
        sender: party(&proposal.sender),
        recipient: party(&proposal.recipient),
        people,
        recipient_case: proposal.recipient_case.clone(),
        body,
    })
}

/// The sensitivity label of a category (specs consent 2).
fn category_label(category: Category) -> Option<String> {
    let label = match category {
        Category::MentalHealth => "MH",
        Category::SudPart2 => "42CFRPart2",
        Category::SudNonpart2 => "SUD",
        Category::Hiv => "HIV",
        Category::DvInfo => "SDV",
        Category::ContactLocation => "LOCIS",
        _ => return None,
    };
    Some(label.to_owned())
}

fn notices(core: &Core, judged: &Judged) -> Vec<Notice> {
    let codes: BTreeSet<String> = judged
        .decision
        .obligations
        .iter()
        .filter(|obligation| obligation.code == "NOTICE")
        .filter_map(|obligation| obligation.params.get("notice").cloned())
        .collect();
    codes
        .into_iter()
        .map(|code| Notice {
            text: super::notices::text(&code, core),
            code,
        })
        .collect()
}

/// Decides at the outbox and, when anything may be told, queues it. Returns the message, or `None` when nothing may be
/// told.
///
/// # Errors
/// When the store fails.
pub async fn queue(
    core: &Core,
    tx: &mut Tx,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<Option<MessageId>, StoreError> {
    let id = MessageId(uuid::Uuid::now_v7());
    let ruling = weigh(core, tx, id, proposal, now).await?;
    ruling.record(tx, Stage::Outbox, now).await?;
    if ruling.outbound.is_none() {
        return Ok(None);
    }
    let row = row(tx, id, proposal, ruling.decision, now)?;
    tx.add_outbox(&row).await?;
    queued(core, tx, id, &proposal.recipient_system, 1, now).await?;
    Ok(Some(id))
}

/// A message as it waits in its lane from now on.
pub(super) fn row(
    tx: &Tx,
    id: MessageId,
    proposal: &Proposal,
    decision: DecisionId,
    now: Timestamp,
) -> Result<OutboxRow, StoreError> {
    let content =
        serde_json::to_vec(proposal).map_err(|_| StoreError::Shape { kind: "proposal" })?;
    Ok(OutboxRow {
        id,
        position: 0,
        lane: proposal.recipient_system.as_str().to_owned(),
        case_key: tx.mac("case", &proposal.case)?.to_vec(),
        kind: proposal.kind().to_owned(),
        state: OutboxState::Queued,
        attempts: 0,
        due_at: now,
        created_at: now,
        changed_at: now,
        decision,
        file: None,
        is_handed: false,
        fault: None,
        note: None,
        content,
        trace: Place::here(),
    })
}

/// Records that a message waits in its lane for an attempt.
///
/// # Errors
/// When the store fails.
pub(super) async fn queued(
    core: &Core,
    tx: &mut Tx,
    message: MessageId,
    target: &SystemId,
    attempt: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let told = DeliveryTold {
        message,
        target: target.clone(),
        attempt,
    };
    core.record(tx, Body::DeliveryQueued(Box::new(told)), now)
        .await
}
