//! When a directive ends by itself, for whoever looks after what follows.

use jiff::Timestamp;
use jiff::civil::Date;
use tandem_mappings::model::directive::{Directive, Moment};

use super::view::{birthday, ends_with_childhood, stated_end};
use crate::bundle::Bundle;

/// From when on a directive does not count any more by its own words; `None` when they name no end.
#[must_use]
pub fn ends_at(directive: &Directive, bundle: &Bundle) -> Option<Timestamp> {
    let end = stated_end(directive, directive.effect, &bundle.elements, &bundle.zone);
    (end != Timestamp::MAX).then_some(end)
}

/// From when on a directive that another person signed for a child is suspended: the eighteenth birthday (specs consent
/// 8). `None` for one that the person signed.
#[must_use]
pub fn suspended_at(directive: &Directive, birth_date: Date, bundle: &Bundle) -> Option<Timestamp> {
    let day = birthday(birth_date, 18).filter(|_| ends_with_childhood(directive, directive.effect));
    Moment::Day(day?).start(&bundle.zone)
}
