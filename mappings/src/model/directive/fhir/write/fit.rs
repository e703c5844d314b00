//! What a dialect can say of a directive.

use std::cmp::Ordering;

use super::super::consent::day_of;
use super::{Dialect, is_whole, source, status};
use crate::model::category::Category;
use crate::model::directive::{Capacity, Directive, Effect, Expiry, General, Parties};
use crate::model::purpose::Purpose;

/// Every part of a directive, or of an exception to a base, that a dialect cannot say.
pub(super) fn unsaid(
    directive: &Directive,
    base: Option<&Directive>,
    dialect: Dialect,
) -> Vec<String> {
    let checks = [
        (
            by_whom(directive),
            "signer: a consent says only that the patient signed",
        ),
        (
            by_reach(directive),
            "disclosers or recipients by class or by day: a consent names them",
        ),
        (
            by_end(directive),
            "expiry: a consent ends on a day or at an instant",
        ),
        (
            by_words(directive),
            "scope_notes, statements or stand_alone: no element holds them",
        ),
        (
            by_method(directive),
            "method: a consent refers to a document or a questionnaire",
        ),
        (
            by_boxes(directive),
            "sensitive_opt_ins: a consent has no boxes",
        ),
        (by_part(directive), "revocation of a part"),
        (
            by_kinds(directive),
            "purposes: whoever refuses a purpose refuses its kinds",
        ),
        (by_labels(directive, base), "labels of a permission"),
        (
            base.is_none_or(|base| by_period(directive, base)),
            "valid_from or expiry: an exception lasts no longer than its consent",
        ),
        (by_dialect(directive, dialect), needs(dialect)),
    ];
    let unsaid = checks.into_iter().filter(|(is_said, _)| !is_said);
    unsaid.map(|(_, what)| what.to_owned()).collect()
}

/// The profile of PCF that says it: Basic has neither purposes nor data, Intermediate no labels.
pub(super) fn pcf_level(base: &Directive, exceptions: &[Directive]) -> &'static str {
    let general = |one: &Directive, part| one.general_words.contains(&part);
    let has_labels = |one: &Directive| {
        !one.labels.is_empty() || (!one.categories.is_empty() && !general(one, General::Categories))
    };
    let has_data = |one: &Directive| {
        one.data_period.is_some()
            || !one.authors.is_empty()
            || (!one.purposes.is_empty() && !general(one, General::Purposes))
    };
    let all = || std::iter::once(base).chain(exceptions);
    if all().any(has_labels) {
        "Advanced"
    } else if !exceptions.is_empty() || has_data(base) {
        "Intermediate"
    } else {
        "Basic"
    }
}

fn by_whom(directive: &Directive) -> bool {
    directive.signer.capacity == Capacity::OwnSelf
}

fn by_reach(directive: &Directive) -> bool {
    let named =
        |parties: &Parties| parties.class.is_empty() && parties.all_participants_at_date.is_none();
    let general = Parties {
        all_participants_at_date: day_of(directive.captured_at),
        ..Parties::default()
    };
    let disclosers = named(&directive.disclosers)
        || (directive.general_words.contains(&General::Disclosers)
            && directive.disclosers == general);
    let is_permit = directive.effect == Effect::Permit;
    let has_recipients = !directive.recipients.is_empty() || !is_permit;
    // A permission without disclosers opens nothing, and without purposes neither; said so, it would open everything.
    let is_whole =
        !is_permit || (!directive.disclosers.is_empty() && !directive.purposes.is_empty());
    let is_authored = named(&directive.authors) && directive.authors.team.is_empty();
    disclosers && named(&directive.recipients) && has_recipients && is_whole && is_authored
}

fn by_end(directive: &Directive) -> bool {
    match directive.expiry {
        None | Some(Expiry::Date(_)) => true,
        // That it has no end is a statement of the form; for a refusal it changes nothing.
        Some(Expiry::None) => directive.effect == Effect::Deny,
        Some(_) => false,
    }
}

fn by_words(directive: &Directive) -> bool {
    directive.scope_notes.is_none()
        && directive.statements.is_none()
        && directive.stand_alone.is_none()
}

fn by_method(directive: &Directive) -> bool {
    directive
        .method
        .is_none_or(|method| source(method).is_some())
}

fn by_boxes(directive: &Directive) -> bool {
    let is_general = directive.general_words.contains(&General::Categories);
    let ticked = directive.sensitive_opt_ins.as_ref();
    if is_general {
        let all: std::collections::BTreeSet<_> = Category::ALL.into_iter().collect();
        return ticked.is_some_and(|ticked| ticked.is_empty()) && directive.categories == all;
    }
    let categories = &directive.categories;
    ticked.is_none_or(|ticked| categories.iter().all(|one| ticked.contains(one.as_str())))
        && (!categories.is_empty() || directive.effect == Effect::Deny)
}

fn by_part(directive: &Directive) -> bool {
    directive.revocations().all(is_whole)
}

fn by_kinds(directive: &Directive) -> bool {
    let purposes = &directive.purposes;
    directive.effect == Effect::Permit
        || Purpose::ALL.into_iter().all(|kind| {
            let is_meant = purposes.iter().any(|one| kind.is_kind_of(*one));
            is_meant == purposes.contains(&kind)
        })
}

/// A permission says its data as categories; as an exception it has the labels of its base besides.
fn by_labels(directive: &Directive, base: Option<&Directive>) -> bool {
    directive.labels.is_empty()
        || directive.effect == Effect::Deny
        || base.is_some_and(|base| base.labels == directive.labels)
}

/// What a consent begins and ends with holds for its exceptions as well. One that begins when it was given need not say so.
fn by_period(exception: &Directive, base: &Directive) -> bool {
    let begins = base.valid_from == base.captured_at || !begins_before(exception, base);
    let ends = match (&base.expiry, &exception.expiry) {
        (Some(Expiry::Date(base)), Some(Expiry::Date(end))) => {
            end.compare(*base).is_some_and(Ordering::is_le)
        }
        (Some(Expiry::Date(_)), _) => false,
        _ => true,
    };
    begins && ends
}

/// Whether an exception may begin before its consent.
pub(super) fn begins_before(exception: &Directive, base: &Directive) -> bool {
    base.valid_from.is_some_and(|base| {
        let begins = exception.valid_from.and_then(|one| one.compare(base));
        begins.is_none_or(Ordering::is_lt)
    })
}

/// The elements that a guide asks for (IHE PCF 1.1; FAST 1.0.0-ballot).
fn by_dialect(directive: &Directive, dialect: Dialect) -> bool {
    let complete = directive.captured_at.is_some()
        && directive.method.is_some()
        && directive.form_template.is_some();
    let has_both = !directive.labels.is_empty() && !directive.categories.is_empty();
    match dialect {
        Dialect::BaseR4 => true,
        Dialect::Pcf => {
            complete
                && !has_both
                && !directive.disclosers.named.is_empty()
                && directive.disclosers.team.is_empty()
        }
        Dialect::Fast => complete && matches!(status(directive), "active" | "inactive"),
    }
}

const fn needs(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::BaseR4 => "",
        Dialect::Pcf => {
            "what PCF asks for: dateTime, source, policy, the organisations by name, and labels or categories, not both"
        }
        Dialect::Fast => {
            "what FAST asks for: dateTime, source, policy, and a consent that is active or inactive"
        }
    }
}
