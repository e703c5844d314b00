//! Social Security numbers and identifiers that systems share.

use crate::field::{Field, IdentifierLevel, SsnLevel};
use crate::person::Person;
use crate::score::Evidence;
use crate::value::{Quality, Ssn};

use super::Comparer;

/// Digits that both numbers must know before they can agree.
const ENOUGH_DIGITS: u32 = 4;
/// Numbers issued together differ by at most this.
const ADJACENT: u32 = 3;

impl Comparer<'_> {
    pub(super) fn compare_numbers(&self, a: &Person, b: &Person, evidence: &mut Evidence) {
        let level = ssn_level(a, b);
        evidence.pattern.set(Field::Ssn, level as u8);
        if let (SsnLevel::Exact, Some(ssn)) = (level, a.ssn_key()) {
            let count = self.population.frequencies.ssns.count(ssn);
            evidence.frequency[2] = self.holder_frequency(count, self.model.base(2));
        }
        let (level, shared) = identifier_level(a, b);
        evidence.pattern.set(Field::SharedIdentifier, level as u8);
        if let Some(value) = shared {
            let count = self.population.frequencies.identifiers.count(value);
            evidence.frequency[3] = self.holder_frequency(count, self.model.base(3));
        }
    }
}

fn ssn_level(a: &Person, b: &Person) -> SsnLevel {
    let level = match (a.ssn.whole(), b.ssn.whole()) {
        (Some(one), Some(other)) if one == other => SsnLevel::Exact,
        (Some(one), Some(other)) if one.abs_diff(other) <= ADJACENT => SsnLevel::Adjacent,
        (Some(one), Some(other)) => {
            let is_near = Ssn::may_be_slip(one, other)
                && (a.ssn.common(b.ssn).1 == 1 || a.ssn.is_transposed(b.ssn));
            if is_near {
                SsnLevel::Near
            } else {
                SsnLevel::Different
            }
        }
        _ => match a.ssn.common(b.ssn) {
            (known, _) if known < ENOUGH_DIGITS => SsnLevel::Missing,
            (_, 0) => SsnLevel::LastFour,
            _ => SsnLevel::PartialConflict,
        },
    };
    let is_doubtful =
        a.ssn_quality == Quality::Approximate || b.ssn_quality == Quality::Approximate;
    // A number that the source itself calls approximate cannot contradict another.
    match level {
        SsnLevel::Different if is_doubtful => SsnLevel::Missing,
        level => level,
    }
}

/// The level, and the key of the identifier on which both agree.
fn identifier_level(a: &Person, b: &Person) -> (IdentifierLevel, Option<u64>) {
    let mut level = IdentifierLevel::Missing;
    for one in a.identifiers() {
        for other in b.identifiers().filter(|other| other.kind == one.kind) {
            if one.value == other.value {
                return (IdentifierLevel::Same, Some(one.value));
            }
            if one.is_near(*other) {
                level = IdentifierLevel::Near;
            } else if level == IdentifierLevel::Missing {
                level = IdentifierLevel::Different;
            }
        }
    }
    (level, None)
}
