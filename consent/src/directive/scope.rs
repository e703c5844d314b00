//! When a permission stands against a refusal.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use tandem_mappings::model::directive::{DataPeriod, Parties};

use super::view::View;

/// Whether a permission wins over a refusal, when both concern the same thing: it is the more
/// specific one, or the later one of the same form series.
///
/// More specific means that its scope lies within the refusal's in every respect and is smaller in
/// at least one. Whatever cannot be compared leaves the refusal standing.
pub(crate) fn wins_over(permit: &View<'_>, deny: &View<'_>, zone: &TimeZone) -> bool {
    // A policy that a FHIR consent names has no version as a form has: consents under one policy do not replace each other
    // (specs fhir 8, rule 5: deny wins).
    let series = |view: &View<'_>| {
        let form = view.directive.form_template.as_ref();
        form.filter(|form| !form.version.is_empty())
            .map(|form| form.id.clone())
    };
    let same_series = series(permit).is_some() && series(permit) == series(deny);
    if same_series && permit.given_at(zone) > deny.given_at(zone) {
        return true;
    }
    let (narrow, wide) = (permit.directive, deny.directive);
    let fits = [
        within(&narrow.categories, &wide.categories),
        within(&narrow.labels, &wide.labels),
        within(&narrow.purposes, &wide.purposes),
        parties_within(&narrow.recipients, &wide.recipients),
        parties_within(&narrow.disclosers, &wide.disclosers),
        parties_within(&narrow.authors, &wide.authors),
        period_within(narrow.data_period, wide.data_period),
    ];
    fits.iter().all(|fit| *fit != Fit::Outside) && fits.contains(&Fit::Narrower)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Outside,
    Same,
    Narrower,
}

/// A set within another, where an empty set means everything.
fn within<T: Ord>(narrow: &BTreeSet<T>, wide: &BTreeSet<T>) -> Fit {
    match (narrow.is_empty(), wide.is_empty()) {
        (true, true) => Fit::Same,
        (true, false) => Fit::Outside,
        (false, true) => Fit::Narrower,
        (false, false) if narrow == wide => Fit::Same,
        (false, false) if narrow.is_subset(wide) => Fit::Narrower,
        (false, false) => Fit::Outside,
    }
}

fn parties_within(narrow: &Parties, wide: &Parties) -> Fit {
    if narrow == wide {
        return Fit::Same;
    }
    if wide.is_empty() {
        return Fit::Narrower;
    }
    let only_names = |parties: &Parties| {
        parties.class.is_empty()
            && parties.team.is_empty()
            && parties.all_participants_at_date.is_none()
    };
    match (only_names(narrow), only_names(wide)) {
        (true, true) => within(&narrow.named, &wide.named),
        // Names against classes: both mean the organisation at hand, and a name is the narrower.
        (true, false) if !narrow.is_empty() && wide.named.is_disjoint(&narrow.named) => {
            Fit::Narrower
        }
        _ => Fit::Outside,
    }
}

fn period_within(narrow: Option<DataPeriod>, wide: Option<DataPeriod>) -> Fit {
    match (narrow, wide) {
        (narrow, wide) if narrow == wide => Fit::Same,
        (Some(_), None) => Fit::Narrower,
        (Some(narrow), Some(wide)) => {
            let starts =
                wide.start.is_none() || (narrow.start.is_some() && narrow.start >= wide.start);
            let ends = wide.end.is_none() || narrow.end.is_some_and(|end| wide.end >= Some(end));
            if starts && ends {
                Fit::Narrower
            } else {
                Fit::Outside
            }
        }
        _ => Fit::Outside,
    }
}
