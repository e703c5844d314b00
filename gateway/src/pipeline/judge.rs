//! Asks the consent engine and records what it says.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_consent::{
    Action, Authored, Bundle, Decision, Emergency, Facts, Item, Recipient, Request, Requester,
    Subject, steady_until,
};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{Directive, Moment, SubjectKey};
use tandem_mappings::model::id::{DecisionId, Jurisdiction, OrganizationId, PersonId};
use tandem_mappings::model::person::PersonFlag;
use tandem_mappings::model::purpose::Purpose;

use super::cited::{Cited, KnownDirectives};
use super::known_answers::{self, KnownAnswers};
pub use super::weighed::Weighed;
use super::{voices, weighed};
use crate::state::record::RecordDoc;
use crate::store::{Evidence, EvidenceKind, Stage, StoreError, Tx};

/// One data element group that is to be told.
#[derive(Debug, Clone)]
pub struct AskedItem {
    /// Its id within the request.
    pub id: String,
    /// Its category.
    pub category: Category,
    /// Sensitivity labels.
    pub labels: BTreeSet<String>,
    /// The table rows and facts that gave it category and labels, and the tables that held the rows. No part of the
    /// question: the record of the answer cites them.
    pub labelled_by: BTreeSet<String>,
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

/// Somebody at the requester's organisation in an emergency.
#[derive(Debug, Clone)]
pub struct InEmergency {
    /// The person, as the organisation's own system knows him or her.
    pub person: String,
    /// The role.
    pub role: String,
    /// The emergency as it was declared.
    pub emergency: Emergency,
}

/// A recorded decision.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Its id.
    pub id: DecisionId,
    /// What it says.
    pub decision: Arc<Decision>,
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
#[derive(Debug, Clone)]
pub struct Judge {
    /// The rules in force; others take their place when their time has come.
    bundle: Arc<RwLock<Arc<Bundle>>>,
    facts: Facts,
    jurisdiction: Jurisdiction,
    known: Arc<KnownAnswers>,
    directives: Arc<KnownDirectives>,
}

impl Judge {
    /// A judge.
    #[must_use]
    pub fn new(bundle: Arc<Bundle>, facts: Facts, jurisdiction: Jurisdiction) -> Self {
        Self {
            bundle: Arc::new(RwLock::new(bundle)),
            facts,
            jurisdiction,
            known: Arc::default(),
            directives: Arc::default(),
        }
    }

    /// A judge by other facts, and by the rules that are in force at any time for this one.
    #[must_use]
    pub fn knowing(&self, facts: Facts) -> Self {
        Self {
            facts,
            ..self.clone()
        }
    }

    /// The rules in force.
    #[must_use]
    pub fn bundle(&self) -> Arc<Bundle> {
        let bundle = self.bundle.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&bundle)
    }

    /// Puts other rules in force, from the next decision on.
    pub fn put_in_force(&self, bundle: Arc<Bundle>) {
        *self.bundle.write().unwrap_or_else(PoisonError::into_inner) = bundle;
    }

    /// What is known about organisations.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Keeps the rules in force and the facts about organisations, so that what is decided from now on can be decided again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_basis(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        let bundle = self.bundle();
        let rules = Evidence {
            kind: EvidenceKind::Bundle,
            hash: bundle.hash().to_owned(),
            content: bundle.to_stored(),
        };
        tx.keep(&rules, now).await?;
        for (record, digest) in self.facts.all() {
            let organization = Evidence {
                kind: EvidenceKind::Organization,
                hash: digest.to_owned(),
                content: tandem_consent::canonical_json(record),
            };
            tx.keep(&organization, now).await?;
        }
        Ok(())
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
        self.weigh_for(tx, ask, None, now).await
    }

    /// Decides for an emergency that somebody declared with a second factor, without recording.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn weigh_in_emergency(
        &self,
        tx: &mut Tx,
        ask: Ask<'_>,
        who: InEmergency,
        now: Timestamp,
    ) -> Result<Weighed, StoreError> {
        self.weigh_for(tx, ask, Some(who), now).await
    }

    /// Where several gateways decide, none does by rules that another has replaced.
    async fn has_the_rules_of(&self, tx: &mut Tx) -> Result<(), StoreError> {
        if !tx.is_shared() {
            return Ok(());
        }
        match tx.started_rules().await? {
            Some(hash) if hash != self.bundle().hash() => Err(StoreError::OtherRules),
            _ => Ok(()),
        }
    }

    async fn weigh_for(
        &self,
        tx: &mut Tx,
        ask: Ask<'_>,
        who: Option<InEmergency>,
        now: Timestamp,
    ) -> Result<Weighed, StoreError> {
        self.has_the_rules_of(tx).await?;
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
        let person = ask.person;
        let labelled_by = weighed::cited(&ask.items);
        let mut request = self.request(ask, subject, now);
        if let Some(who) = who {
            request.requester.person = Some(who.person);
            request.requester.role = Some(who.role);
            request.requester.authentication_strength = Some("second-factor".to_owned());
            request.emergency = Some(who.emergency);
        }
        let cited = self.cited(&voices)?;
        let decision = self.answer(&request, &voices, &cited)?;
        let judged = Judged {
            id: DecisionId(uuid::Uuid::now_v7()),
            decision,
        };
        Ok(
            Weighed::new(judged, person, request, cited, link_version, &self.facts)
                .citing(labelled_by),
        )
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
        tx.add_decision(weighed.row(stage, now)?).await
    }

    fn cited(&self, voices: &[Vec<Directive>]) -> Result<Vec<Vec<Cited>>, StoreError> {
        let cite = |directive| self.directives.cite(directive);
        let voices = voices.iter();
        voices
            .map(|directives| directives.iter().map(cite).collect())
            .collect()
    }

    /// The same answer as [`Judge::stricter`], from what is known where it can be.
    fn answer(
        &self,
        request: &Request,
        voices: &[Vec<Directive>],
        cited: &[Vec<Cited>],
    ) -> Result<Arc<Decision>, StoreError> {
        let (bundle, now) = (self.bundle(), request.as_of);
        let question = known_answers::question(request, cited, bundle.hash(), &self.facts);
        let known = question.and_then(|question| self.known.at(&question, now));
        if let Some(known) = known {
            return Ok(known);
        }
        let decision = Arc::new(stricter(request, &self.facts, voices, &bundle)?);
        let steady = voices
            .iter()
            .map(|directives| steady_until(request, &self.facts, directives, &bundle))
            .min();
        if let (Some(question), Some(Some(until))) = (question, steady) {
            self.known
                .keep(question, (now, until), Arc::clone(&decision));
        }
        Ok(decision)
    }

    /// The answer by the directives of each of the persons who are one by now, the stricter one where they differ.
    ///
    /// # Errors
    /// When there is no set of directives, not even an empty one.
    pub fn stricter(
        &self,
        request: &Request,
        voices: &[Vec<Directive>],
    ) -> Result<Decision, StoreError> {
        stricter(request, &self.facts, voices, &self.bundle())
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

/// The answer by each of several sets of directives, the stricter one where they differ.
pub(super) fn stricter(
    request: &Request,
    facts: &Facts,
    voices: &[Vec<Directive>],
    bundle: &Bundle,
) -> Result<Decision, StoreError> {
    let answers = voices
        .iter()
        .map(|directives| tandem_consent::decide(request, facts, directives, bundle));
    answers
        .reduce(Decision::stricter)
        .ok_or(StoreError::Shape { kind: "decision" })
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
