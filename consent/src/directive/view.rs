//! One directive, resolved for one request.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{
    Capacity, Directive, DirectiveState, Effect, Expiry, Moment,
};

use super::element::Element;
use super::reach::{Reach, ReachContext};
use crate::bundle::{Bundle, ElementLists};
use crate::request::Request;

/// A directive as it stands for a request: its limits as instants, its parties as organisations.
#[derive(Debug, Clone)]
pub(crate) struct View<'a> {
    pub(crate) directive: &'a Directive,
    /// Permit, or deny. A recorded refusal is a deny whatever was asked for.
    pub(crate) effect: Effect,
    /// Whether its state lets it count.
    pub(crate) is_active: bool,
    /// Whether it was taken back as a whole.
    pub(crate) is_revoked: bool,
    /// The categories taken back for this recipient.
    pub(crate) revoked_categories: BTreeSet<Category>,
    /// The categories that it opens, sensitive ones only when ticked.
    pub(crate) categories: BTreeSet<Category>,
    pub(crate) valid_from: Timestamp,
    pub(crate) expires: Timestamp,
    /// How it means the recipient.
    pub(crate) reach: Option<Reach>,
    /// The sources among the request's items that it lets tell.
    pub(crate) disclosers: BTreeSet<String>,
    /// Elements that the document does not hold.
    pub(crate) lacking: BTreeSet<Element>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        directive: &'a Directive,
        request: &Request,
        context: &ViewContext<'_>,
    ) -> Self {
        let ViewContext {
            bundle,
            parties,
            zone,
            ..
        } = *context;
        let standing = directive.standing();
        let refused = standing == DirectiveState::Refused;
        let effect = if refused {
            Effect::Deny
        } else {
            directive.effect
        };
        let recipient = ReachContext {
            organization: &request.recipient.organization,
            individual: request.recipient.individual.as_deref(),
            ..parties
        };
        let disclosers = request
            .items
            .iter()
            .map(|item| &item.source_organization)
            .filter(|source| {
                let source = ReachContext {
                    organization: source,
                    individual: None,
                    ..parties
                };
                Reach::of(&directive.disclosers, effect, source).is_some()
            })
            .map(|source| source.as_str().to_owned())
            .collect();
        let start = directive.valid_from.or(directive.captured_at);
        Self {
            directive,
            effect,
            is_active: counts(directive, effect, standing),
            is_revoked: false,
            revoked_categories: BTreeSet::new(),
            categories: opened(directive, bundle),
            valid_from: start
                .map_or(Some(Timestamp::MIN), |start| start.start(zone))
                .unwrap_or(Timestamp::MAX),
            expires: end(directive, effect, request, context),
            reach: Reach::of(&directive.recipients, effect, recipient),
            disclosers,
            lacking: Element::ALL
                .into_iter()
                .filter(|element| !element.is_held_by(directive, &bundle.elements))
                .collect(),
        }
    }

    /// Whether the document holds what a regime asks for.
    pub(crate) fn serves(&self, regime: &str, bundle: &Bundle) -> bool {
        !bundle
            .elements
            .of(regime)
            .any(|element| self.lacking.contains(&element))
    }

    /// Whether it is within its time.
    pub(crate) fn is_running(&self, now: Timestamp) -> bool {
        self.valid_from <= now && now < self.expires
    }

    /// When it was given, as far as the record says.
    pub(crate) fn given_at(&self, zone: &TimeZone) -> Timestamp {
        let given = self.directive.captured_at.or(self.directive.valid_from);
        given
            .and_then(|given| given.start(zone))
            .unwrap_or(Timestamp::MIN)
    }
}

/// What views share within a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ViewContext<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) parties: ReachContext<'a>,
    pub(crate) zone: &'a TimeZone,
    pub(crate) today: Date,
}

/// A permit counts when it is in force and was not verified by whoever captured it. A deny counts
/// from the moment somebody recorded it: nobody need verify that a person said no.
fn counts(directive: &Directive, effect: Effect, standing: DirectiveState) -> bool {
    use DirectiveState::{Active, Expiring, Refused, SignedUnverified, Suspended};
    match effect {
        Effect::Deny => {
            matches!(
                standing,
                Active | Expiring | Refused | SignedUnverified | Suspended
            )
        }
        _ => {
            let checked_alone =
                directive.verified_by.is_some() && directive.verified_by == directive.captured_by;
            matches!(standing, Active | Expiring) && !checked_alone
        }
    }
}

/// The listed categories without the sensitive ones whose box stands there unticked.
fn opened(directive: &Directive, bundle: &Bundle) -> BTreeSet<Category> {
    let ticked = |category: &Category| {
        let separate = bundle
            .coverage
            .categories
            .get(category)
            .is_some_and(|one| one.ticked_separately);
        let Some(opt_ins) = directive.sensitive_opt_ins.as_ref().filter(|_| separate) else {
            return true;
        };
        let labels: &[&str] = match category {
            Category::SudPart2 | Category::SudNonpart2 => &["SUD", "ETH", "ETHUD", "OPIOIDUD"],
            Category::Hiv => &["HIV"],
            Category::ReproHealth => &["SEX", "PREGNANT", "STD"],
            Category::PsychotherapyNotes => &["PSYTHPN"],
            _ => &[],
        };
        opt_ins.contains(category.as_str()) || labels.iter().any(|label| opt_ins.contains(*label))
    };
    directive
        .categories
        .iter()
        .copied()
        .filter(ticked)
        .collect()
}

/// The first instant on which the directive no longer counts.
fn end(
    directive: &Directive,
    effect: Effect,
    request: &Request,
    context: &ViewContext<'_>,
) -> Timestamp {
    let ViewContext {
        bundle,
        zone,
        today,
        ..
    } = *context;
    let stated = stated_end(directive, effect, &bundle.elements, zone);
    let majority = |born| birthday(born, 18);
    match request.subject.birth_date.and_then(majority) {
        Some(day) if ends_with_childhood(directive, effect) && day > today => Moment::Day(day)
            .start(zone)
            .map_or(stated, |birthday| stated.min(birthday)),
        _ => stated,
    }
}

/// Whether it was signed for a child, and stands only as long as the person is one.
pub(super) fn ends_with_childhood(directive: &Directive, effect: Effect) -> bool {
    let by_parent = matches!(
        directive.signer.capacity,
        Capacity::Parent | Capacity::Guardian
    );
    by_parent && effect == Effect::Permit
}

/// The end by the directive's own words. An unknown end is the past for a permit, and never for a deny.
pub(super) fn stated_end(
    directive: &Directive,
    effect: Effect,
    lists: &ElementLists,
    zone: &TimeZone,
) -> Timestamp {
    match &directive.expiry {
        Some(Expiry::Date(date)) => date.end(zone).unwrap_or(Timestamp::MAX),
        Some(Expiry::Event { ended_at, .. } | Expiry::Condition { ended_at, .. }) => match ended_at
        {
            Some(ended) => ended.start(zone).unwrap_or(Timestamp::MIN),
            None if effect == Effect::Deny => Timestamp::MAX,
            None => unknown_end(directive, lists, zone),
        },
        Some(Expiry::None) | None => Timestamp::MAX,
    }
}

fn unknown_end(directive: &Directive, lists: &ElementLists, zone: &TimeZone) -> Timestamp {
    let days = lists.unknown_event_ends_after_days;
    let start = directive
        .captured_at
        .or(directive.valid_from)
        .and_then(|given| given.start(zone));
    start
        .and_then(|start| {
            start
                .checked_add(Span::new().try_hours(days.checked_mul(24)?).ok()?)
                .ok()
        })
        .unwrap_or(Timestamp::MIN)
}

/// The birthday at an age; for one born on 29 February the first of March (Fam. Code 6500).
pub(crate) fn birthday(birth_date: Date, age: i16) -> Option<Date> {
    let year = birth_date.year().checked_add(age)?;
    Date::new(year, birth_date.month(), birth_date.day())
        .or_else(|_| Date::new(year, 3, 1))
        .ok()
}
