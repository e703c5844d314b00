//! One base rule and its exceptions as directives.

use std::collections::BTreeSet;

use serde_json::Value;

use super::codes;
use super::consent::day_of;
use super::provision::PROVISION_FIELDS;
use super::reader::Reader;
use super::scope::Scope;
use crate::model::directive::{
    Capacity, Directive, DirectiveState, Effect, Expiry, FormTemplate, General, Method, Moment,
    Parties, Signer, SubjectKey,
};
use crate::model::id::DirectiveId;

/// Most exceptions of a consent.
const MOST_EXCEPTIONS: usize = 100;

/// What the root is about, read for both that it may do.
struct Base {
    /// As a permission: what is left open is said in general words.
    permitted: Scope,
    /// As a refusal, which closes whatever its words may mean.
    refused: Scope,
}

impl Base {
    const fn read_for(&self, effect: Effect) -> &Scope {
        match effect {
            Effect::Permit => &self.permitted,
            Effect::Deny => &self.refused,
        }
    }
}

/// What every directive of a consent has in common.
pub(super) struct Head {
    pub(super) id: DirectiveId,
    pub(super) version: u32,
    pub(super) subject: SubjectKey,
    pub(super) state: DirectiveState,
    pub(super) given_at: Option<Moment>,
    pub(super) custodians: Option<Parties>,
    pub(super) method: Option<Method>,
    pub(super) form_template: Option<FormTemplate>,
}

/// A rule or exception with the whole scope in which it counts.
struct Rule {
    place: String,
    /// Its place among the exceptions; none for the base.
    number: Option<usize>,
    effect: Effect,
    scope: Scope,
}

/// The base rule of a consent and its exceptions.
pub(super) fn directives(
    reader: &mut Reader,
    head: &Head,
    policy: Option<codes::Base>,
    consent: &Value,
) -> Option<Vec<Directive>> {
    const PLACE: &str = "Consent.provision";
    let nothing = Value::Object(serde_json::Map::new());
    let root = consent.get("provision").unwrap_or(&nothing);
    reader.object(PLACE, root, &PROVISION_FIELDS);
    let exceptions = exceptions(reader, root);
    let has_permits = exceptions
        .iter()
        .any(|(_, _, effect)| *effect == Effect::Permit);
    let (effect, is_rule) = match (root.get("type"), policy) {
        (Some(_), _) => (reader.effect(PLACE, root)?, true),
        (None, Some(codes::Base::OptOut)) => (Effect::Deny, true),
        // Only what provisions permit is permitted: by the root, or by those within it when they do.
        (None, Some(codes::Base::OptIn)) => (Effect::Permit, !has_permits),
        (None, None) => {
            return reader.refuse(
                "Consent.provision.type is absent, and Consent.policyRule does not say what holds by default",
            );
        }
    };
    let mut stated = reader.scope(PLACE, root, effect);
    stated.disclosers = stated.disclosers.or_else(|| head.custodians.clone());
    let mut base = Base {
        refused: stated.as_refused(),
        permitted: stated,
    };
    if is_rule && effect == Effect::Permit {
        base.permitted = base.permitted.said_in_general(day_of(head.given_at));
        names_recipients(reader, PLACE, &base.permitted);
    }
    let mut rules = Vec::new();
    for (number, (place, value, effect)) in exceptions.into_iter().enumerate() {
        let scope = reader.scope(&place, value, effect);
        let within = exception(reader, head, &place, effect, &scope, &base);
        rules.extend(within.map(|scope| Rule {
            place,
            number: Some(number.saturating_add(1)),
            effect,
            scope,
        }));
    }
    if is_rule {
        without_effect(reader, &base, effect, &rules);
        rules.insert(
            0,
            Rule {
                place: PLACE.to_owned(),
                number: None,
                effect,
                scope: base.read_for(effect).clone(),
            },
        );
    }
    answered(reader, head, &rules);
    let rules = without_covered(reader, rules);
    if !reader.reasons.is_empty() {
        return None;
    }
    let directives = rules.into_iter().map(|rule| directive(head, rule));
    let directives: Option<Vec<_>> = directives.collect();
    directives.or_else(|| reader.refuse("Consent.id is too long"))
}

/// The exceptions to the root, each with what it does. There is one level of them.
fn exceptions<'a>(reader: &mut Reader, root: &'a Value) -> Vec<(String, &'a Value, Effect)> {
    let mut found = Vec::new();
    let nested = reader.elements("Consent.provision", root, "provision");
    if nested.len() > MOST_EXCEPTIONS {
        // Each is compared with each other: nobody signs a form of so many.
        let reason =
            format!("Consent.provision.provision has more than {MOST_EXCEPTIONS} exceptions");
        reader.reasons.push(reason);
        return found;
    }
    for (place, value) in nested {
        reader.object(&place, value, &PROVISION_FIELDS);
        if value.get("provision").is_some() {
            reader
                .reasons
                .push(format!("{place}.provision is an exception to an exception"));
        }
        if let Some(effect) = reader.effect(&place, value) {
            found.push((place, value, effect));
        }
    }
    found
}

/// The scope of an exception within its base.
fn exception(
    reader: &mut Reader,
    head: &Head,
    place: &str,
    effect: Effect,
    scope: &Scope,
    base: &Base,
) -> Option<Scope> {
    let within = match scope.within(base.read_for(effect)) {
        Ok(within) => within,
        Err(criterion) => {
            return reader.refuse(format!(
                "{place}: its {criterion} has nothing certain in common with that of Consent.provision"
            ));
        }
    };
    if effect == Effect::Deny {
        return Some(within);
    }
    let within = within.said_in_general(day_of(head.given_at));
    names_recipients(reader, place, &within);
    Some(within)
}

fn names_recipients(reader: &mut Reader, place: &str, scope: &Scope) {
    if scope.recipients.is_none() {
        reader
            .reasons
            .push(format!("{place}.actor names no recipient (IRCP)"));
    }
}

/// An exception must be narrower than its base, or it would put another rule in its place.
fn without_effect(reader: &mut Reader, base: &Base, effect: Effect, rules: &[Rule]) {
    for rule in rules.iter().filter(|rule| rule.effect != effect) {
        if rule.scope.is_as_wide_as(base.read_for(rule.effect)) {
            reader.reasons.push(format!(
                "{} is as wide as the rule to which it is an exception",
                rule.place
            ));
        }
    }
}

/// A person who was asked and said no refused one thing; of exceptions to it nobody knows whether they were refused.
fn answered(reader: &mut Reader, head: &Head, rules: &[Rule]) {
    let is_plain = matches!(rules, [rule] if rule.effect == Effect::Permit);
    if head.state == DirectiveState::Refused && !is_plain {
        reader.reasons.push(
            "Consent.status is rejected, and what was rejected is not one permission".to_owned(),
        );
    }
}

/// Leaves out permissions that lie within a refusal of the same level: there the refusal wins, so they never count.
fn without_covered(reader: &mut Reader, rules: Vec<Rule>) -> Vec<Rule> {
    let mut kept = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let covering = rules.iter().filter(|other| {
            rule.effect == Effect::Permit
                && rule.number.is_some()
                && other.effect == Effect::Deny
                && other.number.is_some()
                && rule.scope.lies_within(&other.scope)
        });
        let mut is_covered = false;
        for other in covering {
            if rule.scope.is_no_longer_than(&other.scope) {
                is_covered = true;
            } else {
                reader.reasons.push(format!(
                    "{} permits for a longer time what {} refuses",
                    rule.place, other.place
                ));
            }
        }
        if !is_covered {
            kept.push(at);
        }
    }
    let numbered = rules.into_iter().enumerate();
    numbered
        .filter(|(at, _)| kept.contains(at))
        .map(|(_, rule)| rule)
        .collect()
}

fn directive(head: &Head, rule: Rule) -> Option<Directive> {
    let scope = rule.scope;
    let id = match rule.number {
        None => head.id.clone(),
        // FHIR ids hold no tilde, so that it is nobody else's.
        Some(number) => DirectiveId::new(format!("{}~{number}", head.id)).ok()?,
    };
    // Whoever says "everything" has not ticked what must be ticked by itself.
    let unticked = rule.effect == Effect::Permit && scope.general.contains(&General::Categories);
    Some(Directive {
        id,
        version: head.version,
        subject: head.subject.clone(),
        state: Some(head.state),
        signer: Signer {
            who: None,
            capacity: Capacity::OwnSelf,
        },
        authority_evidence: None,
        form_template: head.form_template.clone(),
        method: head.method,
        captured_by: None,
        captured_at: head.given_at,
        verified_by: None,
        verified_at: None,
        effect: rule.effect,
        categories: scope.categories.unwrap_or_default(),
        labels: scope.labels.unwrap_or_default(),
        sensitive_opt_ins: unticked.then(BTreeSet::new),
        disclosers: scope.disclosers.unwrap_or_default(),
        authors: scope.authors.unwrap_or_default(),
        recipients: scope.recipients.unwrap_or_default(),
        purposes: scope.purposes.unwrap_or_default(),
        general_words: scope.general,
        data_period: scope.data_period,
        valid_from: scope.start.or(head.given_at),
        expiry: scope.end.map(Expiry::Date),
        revocation: None,
        earlier_revocations: Vec::new(),
        scope_notes: None,
        source_document_hash: None,
        prior_version: None,
        notice_versions_given: BTreeSet::new(),
        interpreter_used: None,
        statements: None,
        stand_alone: None,
    })
}
