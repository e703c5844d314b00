//! The smallest consent that would open what is closed.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;
use tandem_mappings::model::directive::{
    Capacity, Directive, DirectiveState, Effect, Expiry, Method, Moment, Parties, Signer, Statement,
};

use super::decide::decide;
use crate::bundle::Bundle;
use crate::decision::{Decision, RegimeDecision, Verdict};
use crate::facts::Facts;
use crate::request::{Request, have_own_ids};

/// How long the proposed consent lasts, in days: half a year, within every limit that a law or form sets.
const DAYS: i64 = 180;

/// What a consent would open, and the least that it must hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opening {
    /// The items that it opens, in the order of the request; empty when consent opens nothing.
    pub items: Vec<String>,
    /// The consent: take any part of it away and one of the items stays closed.
    pub consent: Option<Directive>,
    /// What the form must hold, by the names of the element lists.
    pub elements: Vec<&'static str>,
    /// What stays closed whatever the person signs, with the regimes that say so.
    pub closed: Vec<Closed>,
}

/// An item that no consent opens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Closed {
    /// The item.
    pub id: String,
    /// The regimes that close it even then.
    pub regimes: Vec<RegimeDecision>,
}

/// Finds the smallest consent that opens the items which a decision denied; those that consent can open.
///
/// Pure, as [`decide`] is. The parts of a consent are independent conditions of the laws, so that taking away one part
/// after the other, as long as every item stays open, leaves the smallest.
#[must_use]
pub fn smallest_consent(
    request: &Request,
    facts: &Facts,
    directives: &[Directive],
    bundle: &Bundle,
) -> Opening {
    let search = Search {
        request,
        facts,
        directives,
        bundle,
    };
    let denied = denied(&decide(request, facts, directives, bundle));
    let nothing = |closed| Opening {
        items: Vec::new(),
        consent: None,
        elements: Vec::new(),
        closed,
    };
    if denied.is_empty() || !have_own_ids(&request.items) {
        return nothing(Vec::new());
    }
    let Some((fullest, decision)) = search.fullest(&denied) else {
        let decision = decide(request, facts, directives, bundle);
        return nothing(closed(&decision, &denied));
    };
    let open: BTreeSet<&str> = decision.permitted().collect();
    let items: Vec<String> = denied
        .iter()
        .filter(|id| open.contains(id.as_str()))
        .cloned()
        .collect();
    let smallest = search.smallest(fullest, &items);
    Opening {
        elements: elements(&smallest),
        consent: Some(smallest),
        closed: closed(&decision, &denied),
        items,
    }
}

fn denied(decision: &Decision) -> Vec<String> {
    let open: BTreeSet<&str> = decision.permitted().collect();
    let items = decision.items.iter().map(|item| &item.id);
    items
        .filter(|id| !open.contains(id.as_str()))
        .cloned()
        .collect()
}

fn closed(decision: &Decision, asked: &[String]) -> Vec<Closed> {
    let still = |item: &&crate::decision::ItemDecision| {
        item.outcome == Verdict::Deny && asked.contains(&item.id)
    };
    let items = decision.items.iter().filter(still);
    items
        .map(|item| Closed {
            id: item.id.clone(),
            regimes: item
                .regimes
                .iter()
                .filter(|regime| regime.outcome == Verdict::Deny)
                .cloned()
                .collect(),
        })
        .collect()
}

/// Takes a part of a consent away.
type Part = Box<dyn Fn(&mut Directive)>;

/// One question, asked with one proposed consent after the other.
struct Search<'a> {
    request: &'a Request,
    facts: &'a Facts,
    directives: &'a [Directive],
    bundle: &'a Bundle,
}

impl Search<'_> {
    fn decide_with(&self, consent: &Directive) -> Decision {
        let mut directives = self.directives.to_vec();
        directives.push(consent.clone());
        decide(self.request, self.facts, &directives, self.bundle)
    }

    fn opens(&self, consent: &Directive, items: &[String]) -> bool {
        let decision = self.decide_with(consent);
        let open: BTreeSet<&str> = decision.permitted().collect();
        items.iter().all(|id| open.contains(id.as_str()))
    }

    /// A consent that holds everything, by the signer who opens the most of what is closed.
    fn fullest(&self, denied: &[String]) -> Option<(Directive, Decision)> {
        let signers = [
            Capacity::OwnSelf,
            Capacity::MinorByOwnRight,
            Capacity::Parent,
            Capacity::Guardian,
            Capacity::Conservator,
            Capacity::Agent,
            Capacity::Court,
        ];
        let mut best: Option<(usize, Directive, Decision)> = None;
        for signer in signers {
            let consent = self.everything(signer, denied)?;
            let decision = self.decide_with(&consent);
            let open: BTreeSet<&str> = decision.permitted().collect();
            let count = denied
                .iter()
                .filter(|id| open.contains(id.as_str()))
                .count();
            if count > best.as_ref().map_or(0, |(most, ..)| *most) {
                best = Some((count, consent, decision));
            }
        }
        best.map(|(_, consent, decision)| (consent, decision))
    }

    fn everything(&self, signer: Capacity, denied: &[String]) -> Option<Directive> {
        let request = self.request;
        let items = request
            .items
            .iter()
            .filter(|item| denied.contains(&item.id));
        let category = |item: &crate::request::Item| match &item.category {
            Some(category) => category.value(),
            None => self
                .facts
                .organization(&item.source_organization)
                .and_then(|source| source.default_category),
        };
        let today = self.bundle.zone().to_datetime(request.as_of).date();
        let last = today.checked_add(DAYS.days()).unwrap_or(Date::MAX);
        let named = |name: &str| Parties {
            named: BTreeSet::from([name.to_owned()]),
            ..Parties::default()
        };
        let sources = items
            .clone()
            .map(|item| item.source_organization.as_str().to_owned());
        let disclosers = Parties {
            named: sources.collect(),
            ..Parties::default()
        };
        Some(Directive {
            id: "proposed".parse().ok()?,
            version: 1,
            subject: request.subject.id.clone(),
            state: Some(DirectiveState::Active),
            signer: Signer {
                who: None,
                capacity: signer,
            },
            authority_evidence: Some("on file".to_owned()),
            form_template: None,
            method: Some(Method::ESignature),
            captured_by: Some("one".to_owned()),
            captured_at: Some(Moment::Instant(request.as_of)),
            verified_by: Some("another".to_owned()),
            verified_at: Some(Moment::Instant(request.as_of)),
            effect: Effect::Permit,
            categories: items.filter_map(category).collect(),
            labels: BTreeSet::new(),
            sensitive_opt_ins: None,
            disclosers,
            authors: Parties::default(),
            recipients: named(request.recipient.organization.as_str()),
            purposes: request.purpose.value().into_iter().collect(),
            general_words: BTreeSet::new(),
            data_period: None,
            valid_from: Some(Moment::Instant(request.as_of)),
            expiry: Some(Expiry::Date(Moment::Day(last))),
            revocation: None,
            earlier_revocations: Vec::new(),
            scope_notes: None,
            source_document_hash: None,
            prior_version: None,
            notice_versions_given: BTreeSet::new(),
            interpreter_used: None,
            statements: Some(STATEMENTS.into_iter().collect()),
            stand_alone: Some(true),
        })
    }

    /// Takes away one part after the other that none of the items needs.
    fn smallest(&self, mut consent: Directive, items: &[String]) -> Directive {
        let mut parts: Vec<Part> = Vec::new();
        for category in consent.categories.clone() {
            parts.push(Box::new(move |one| {
                one.categories.remove(&category);
            }));
        }
        for discloser in consent.disclosers.named.clone() {
            parts.push(Box::new(move |one| {
                one.disclosers.named.remove(&discloser);
            }));
        }
        for statement in STATEMENTS {
            parts.push(Box::new(move |one| {
                one.statements.iter_mut().for_each(|all| {
                    all.remove(&statement);
                });
            }));
        }
        parts.push(Box::new(|one| one.stand_alone = None));
        parts.push(Box::new(|one| one.authority_evidence = None));
        parts.push(Box::new(|one| one.expiry = Some(Expiry::None)));
        parts.push(Box::new(|one| one.method = Some(Method::VerbalWithWitness)));
        for part in parts {
            let mut smaller = consent.clone();
            part(&mut smaller);
            if self.opens(&smaller, items) {
                consent = smaller;
            }
        }
        consent
    }
}

const STATEMENTS: [Statement; 4] = [
    Statement::RightToRevoke,
    Statement::NotConditioned,
    Statement::Redisclosure,
    Statement::CopyOffered,
];

/// What the form must hold, by the names of the element lists.
fn elements(consent: &Directive) -> Vec<&'static str> {
    let statements = consent.statements.clone().unwrap_or_default();
    let says = |statement| statements.contains(&statement);
    let held = [
        ("subject", true),
        ("categories", !consent.categories.is_empty()),
        ("disclosers", !consent.disclosers.is_empty()),
        ("recipients", !consent.recipients.is_empty()),
        ("purposes", !consent.purposes.is_empty()),
        ("expiry", consent.expiry != Some(Expiry::None)),
        ("signature", consent.method.is_some_and(Method::is_signed)),
        ("given", consent.method == Some(Method::VerbalWithWitness)),
        ("signature_date", true),
        ("right_to_revoke", says(Statement::RightToRevoke)),
        ("not_conditioned", says(Statement::NotConditioned)),
        ("redisclosure", says(Statement::Redisclosure)),
        ("copy_offered", says(Statement::CopyOffered)),
        ("stand_alone", consent.stand_alone == Some(true)),
        ("authority_evidence", consent.authority_evidence.is_some()),
    ];
    let held = held.into_iter().filter(|(_, is_held)| *is_held);
    held.map(|(name, _)| name).collect()
}
