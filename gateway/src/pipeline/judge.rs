//! Asks the consent engine and records what it says.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_consent::{
    Action, Authored, Bundle, Decision, Facts, Item, Recipient, Request, Requester, Subject,
};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Directive, Moment, SubjectKey};
use tandem_mappings::model::id::{DecisionId, Jurisdiction, OrganizationId, PersonId};
use tandem_mappings::model::person::PersonFlag;
use tandem_mappings::model::purpose::Purpose;

use super::voices;
use crate::state::record::RecordDoc;
use crate::store::{DecisionRow, Stage, StoreError, Tx};

/// One data element group that is to be told.
#[derive(Debug, Clone)]
pub struct AskedItem {
    /// Its id within the request.
    pub id: String,
    /// Its category.
    pub category: Category,
    /// Sensitivity labels.
    pub labels: BTreeSet<String>,
    /// Who holds it.
    pub source: OrganizationId,
    /// When it was written.
    pub authored: Option<Date>,
}

/// What is asked.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Action.
    pub action: Action,
    /// Purpose.
    pub purpose: Purpose,
    /// Who asks or tells.
    pub requester: &'a OrganizationId,
    /// Who would be told.
    pub recipient: &'a OrganizationId,
    /// About whom; `None` before a record has a person.
    pub person: Option<PersonId>,
    /// What would be told.
    pub items: Vec<AskedItem>,
    /// Whether the recipient holds a delivered copy (action `notify`).
    pub holds_copy: bool,
    /// Whether the recipient serves the person.
    pub serves_subject: bool,
}

/// A recorded decision.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Its id.
    pub id: DecisionId,
    /// What it says.
    pub decision: Decision,
}

impl Judged {
    /// Whether an item may be told.
    #[must_use]
    pub fn permits(&self, item: &str) -> bool {
        self.decision.permitted().any(|permitted| permitted == item)
    }

    /// Whether anything may be told.
    #[must_use]
    pub fn permits_any(&self) -> bool {
        self.decision.permitted().next().is_some()
    }

    /// The rules on which the permitted items rest.
    #[must_use]
    pub fn basis(&self) -> Vec<String> {
        let permitted: BTreeSet<&str> = self.decision.permitted().collect();
        let rules: BTreeSet<&String> = self
            .decision
            .items
            .iter()
            .filter(|item| permitted.contains(item.id.as_str()))
            .flat_map(|item| item.regimes.iter().flat_map(|regime| &regime.rules))
            .collect();
        rules.into_iter().cloned().collect()
    }

    /// The consent on which a permitted item rests, if any does.
    #[must_use]
    pub fn consent(&self) -> Option<String> {
        let permitted: BTreeSet<&str> = self.decision.permitted().collect();
        self.decision
            .items
            .iter()
            .filter(|item| permitted.contains(item.id.as_str()))
            .flat_map(|item| &item.regimes)
            .find_map(|regime| regime.consent.clone())
    }
}

/// The consent engine with the rules and facts in force.
#[derive(Debug)]
pub struct Judge {
    bundle: Bundle,
    facts: Facts,
    jurisdiction: Jurisdiction,
}

impl Judge {
    /// A judge.
    #[must_use]
    pub fn new(bundle: Bundle, facts: Facts, jurisdiction: Jurisdiction) -> Self {
        Self {
            bundle,
            facts,
            jurisdiction,
        }
    }

    /// The rules in force.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Decides, and records the decision in the transaction.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decide(
        &self,
        tx: &mut Tx,
        ask: Ask<'_>,
        stage: Stage,
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        let judged = self.weigh(tx, ask, now).await?;
        self.record(tx, &judged, stage, now).await?;
        Ok(judged.judged)
    }

    /// Decides without recording, in a snapshot; the decision is recorded later with [`Judge::record`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn weigh(
        &self,
        tx: &mut Tx,
        ask: Ask<'_>,
        now: Timestamp,
    ) -> Result<Weighed, StoreError> {
        let records = match ask.person {
            Some(person) => {
                tx.find::<RecordDoc>("record.person", &person.to_string())
                    .await?
            }
            None => Vec::new(),
        };
        let subject = subject_of(ask.person, &records)?;
        let voices = voices::of(tx, &subject.id, &records).await?;
        let link_version = tx.last_position().await?;
        let (person, action, recipient) = (ask.person, ask.action, ask.recipient.clone());
        let request = self.request(ask, subject, now);
        let decision = self.stricter(&request, &voices)?;
        let judged = Judged {
            id: DecisionId(uuid::Uuid::now_v7()),
            decision,
        };
        let mut record = serde_json::json!({
            "request": request,
            "decision": judged.decision,
            "directives": named(voices.iter().flatten()),
        });
        if voices.len() > 1 {
            let apart: Vec<_> = voices.iter().map(named).collect();
            record["directives_by_person"] = serde_json::json!(apart);
        }
        Ok(Weighed {
            judged,
            person,
            action,
            recipient,
            link_version,
            record,
        })
    }

    /// Records a decision made earlier in a snapshot.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(
        &self,
        tx: &mut Tx,
        weighed: &Weighed,
        stage: Stage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        tx.add_decision(&weighed.row(stage, now)?).await
    }

    /// The answer by the directives of each of the persons who are one by now, the stricter one where they differ.
    fn stricter(
        &self,
        request: &Request,
        voices: &[Vec<Directive>],
    ) -> Result<Decision, StoreError> {
        voices
            .iter()
            .map(|directives| {
                tandem_consent::decide(request, &self.facts, directives, &self.bundle)
            })
            .reduce(Decision::stricter)
            .ok_or(StoreError::Shape { kind: "decision" })
    }

    fn request(&self, ask: Ask<'_>, subject: Subject, now: Timestamp) -> Request {
        let items = ask.items.into_iter().map(|item| Item {
            id: item.id,
            category: Some(item.category.into()),
            labels: item.labels,
            source_organization: item.source,
            program: None,
            authored: item.authored.map(|day| Authored {
                start: Some(Moment::Day(day)),
                end: Some(Moment::Day(day)),
            }),
            origin: tandem_consent::Origin::Direct,
            consent_chain: Vec::new(),
        });
        Request {
            decision_id: None,
            correlation_id: None,
            as_of: now,
            action: ask.action,
            purpose: ask.purpose.into(),
            jurisdiction: self.jurisdiction.clone(),
            requester: Requester {
                person: None,
                organization: ask.requester.clone(),
                role: None,
                teams: None,
                training_valid_to: None,
                authentication_strength: None,
            },
            recipient: Recipient {
                organization: ask.recipient.clone(),
                program: None,
                individual: None,
                relation: None,
                serves_subject: ask.serves_subject,
            },
            subject,
            items: items.collect(),
            holds_copy: ask.holds_copy,
            claimed_basis: None,
            emergency: None,
            policy_version: None,
        }
    }
}

/// A decision with what its record needs.
#[derive(Debug)]
pub struct Weighed {
    /// The decision.
    pub judged: Judged,
    person: Option<PersonId>,
    action: Action,
    recipient: OrganizationId,
    link_version: i64,
    record: serde_json::Value,
}

impl Weighed {
    /// The decision as it is recorded.
    ///
    /// # Errors
    /// When the outcome has no text.
    pub fn row(&self, stage: Stage, now: Timestamp) -> Result<DecisionRow, StoreError> {
        let outcome = serde_json::to_value(self.judged.decision.outcome)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .ok_or(StoreError::Shape { kind: "outcome" })?;
        Ok(DecisionRow {
            id: self.judged.id,
            decided_at: now,
            action: self.action.as_str().to_owned(),
            stage: stage.code().to_owned(),
            outcome,
            recipient: self.recipient.as_str().to_owned(),
            person: self.person,
            bundle: self.judged.decision.bundle.clone(),
            link_version: self.link_version,
            record: self.record.clone(),
        })
    }
}

fn subject_of(person: Option<PersonId>, records: &[RecordDoc]) -> Result<Subject, StoreError> {
    let id = person.map_or_else(|| "unlinked".to_owned(), |person| person.to_string());
    let id = SubjectKey::new(id).map_err(|_| StoreError::Shape { kind: "subject" })?;
    let birth_date = records
        .iter()
        .filter_map(|record| record.person.birth)
        .find_map(|birth| birth.date.full());
    let flags = records
        .iter()
        .flat_map(|record| &record.person.flags)
        .map(|flag| flag_of(*flag).to_owned());
    Ok(Subject {
        id,
        birth_date,
        capacity: None,
        flags: flags.collect(),
    })
}

/// The flag in the words of the decision request.
fn flag_of(flag: PersonFlag) -> &'static str {
    match flag {
        PersonFlag::Sensitive => "sensitive",
        PersonFlag::Safety => "safety",
        PersonFlag::AddressConfidential => "safe_at_home",
        PersonFlag::FamilyViolence => "family_violence_indicator",
    }
}

/// Directives by id and version, each once.
fn named<'a>(directives: impl IntoIterator<Item = &'a Directive>) -> BTreeSet<(&'a str, u32)> {
    directives
        .into_iter()
        .map(|one| (one.id.as_str(), one.version))
        .collect()
}
