//! Whether the data of an item are those of which a directive speaks: by label, author and period.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::directive::{DataPeriod, Directive, Effect, Moment, carries};
use tandem_mappings::model::id::OrganizationId;

use super::reach::{Reach, ReachContext};
use super::revocation::received;
use crate::facts::Facts;
use crate::request::{Item, Origin};

/// What is known about an item beside itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matter<'a> {
    pub(crate) item: &'a Item,
    pub(crate) category: Option<Category>,
    pub(crate) facts: &'a Facts,
    pub(crate) recipient: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) today: Date,
    pub(crate) zone: &'a TimeZone,
}

impl Matter<'_> {
    /// Whether the item is one of those of which a directive speaks. Where that is not known, a refusal speaks of it and a
    /// permission does not.
    pub(crate) fn is_of(&self, directive: &Directive, effect: Effect) -> bool {
        self.has_label(directive)
            && !(effect == Effect::Permit && self.is_taken_back(directive))
            && self
                .has_author(directive, effect)
                .unwrap_or(effect == Effect::Deny)
            && directive
                .data_period
                .is_none_or(|period| self.is_from(period, effect))
    }

    /// Whether the person took back that this source tells this recipient of such data.
    fn is_taken_back(&self, directive: &Directive) -> bool {
        let source = self.item.source_organization.as_str();
        directive.revocations().any(|one| {
            let by_category = one.categories.is_empty()
                || self
                    .category
                    .is_some_and(|category| one.categories.contains(&category));
            let by_recipient = one.recipients.is_empty() || one.recipients.contains(self.recipient);
            one.disclosers.contains(source)
                && by_category
                && by_recipient
                && received(one.received_at, self.zone) <= self.now
        })
    }

    fn has_label(&self, directive: &Directive) -> bool {
        let own = || self.item.labels.iter().map(String::as_str);
        let mut wanted = directive.labels.iter();
        directive.labels.is_empty() || wanted.any(|label| carries(self.category, own(), label))
    }

    /// Whether one of the authors wrote it; `None` when it is not known who did.
    fn has_author(&self, directive: &Directive, effect: Effect) -> Option<bool> {
        if directive.authors.is_empty() {
            return Some(true);
        }
        let author = ReachContext {
            facts: self.facts,
            organization: self.author()?,
            individual: None,
            today: self.today,
        };
        Some(Reach::of(&directive.authors, effect, author).is_some())
    }

    /// Who wrote the item: its source, or the first who held what the source received.
    fn author(&self) -> Option<&OrganizationId> {
        match self.item.origin {
            Origin::Direct => Some(&self.item.source_organization),
            Origin::Redisclosed => self.item.consent_chain.first().map(|one| &one.organization),
        }
    }

    /// A permission needs all of the item within its period; for a refusal a part is enough.
    fn is_from(&self, period: DataPeriod, effect: Effect) -> bool {
        let authored = self.item.authored;
        let first = authored.and_then(|one| one.start).map(|one| self.day(one));
        let last = authored.map(|one| one.end.map_or(self.today, |end| self.day(end)));
        match effect {
            Effect::Deny => {
                let is_before = last
                    .zip(period.start)
                    .is_some_and(|(last, start)| last < start);
                let is_after = first
                    .zip(period.end)
                    .is_some_and(|(first, end)| first > end);
                !is_before && !is_after
            }
            Effect::Permit => {
                let starts = period
                    .start
                    .is_none_or(|start| first.is_some_and(|first| first >= start));
                let ends = period
                    .end
                    .is_none_or(|end| last.is_some_and(|last| last <= end));
                first.is_some() && starts && ends
            }
        }
    }

    fn day(&self, moment: Moment) -> Date {
        match moment {
            Moment::Day(day) => day,
            Moment::Instant(instant) => self.zone.to_datetime(instant).date(),
        }
    }
}
