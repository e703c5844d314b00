//! The order of the pairs that wait for a steward: first those whose decision says most.
//!
//! How open a pair is, the entropy of its odds, is weighed by what hangs on it: the records and open cases that become
//! one person's. A pair at even odds between two people of many records comes before one that is almost sure, and before
//! one on which nothing hangs.

use crate::state::involvement::InvolvementDoc;
use crate::state::link::LinkDoc;
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};

use super::family;

/// Of so many of the most open pairs it is looked up what hangs on them; the others follow by openness alone.
const WEIGHED: usize = 2_000;

/// A pair that waits.
#[derive(Debug)]
pub struct Waiting {
    /// The pair.
    pub link: LinkDoc,
    /// What its decision says, in bits, weighed by what hangs on it.
    pub information: f64,
    /// Records that become one person's if the pair is confirmed, and the cases of these records that are open.
    pub hangs: Option<Hangs>,
}

/// What hangs on a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hangs {
    /// Records of both persons.
    pub records: usize,
    /// Their open cases.
    pub open_cases: usize,
}

/// Puts waiting pairs into the order of what their decisions say; equals in the order in which they were found.
///
/// # Errors
/// When the store fails.
pub async fn ordered(tx: &mut Tx, links: Vec<LinkDoc>) -> Result<Vec<Waiting>, StoreError> {
    let mut waiting: Vec<Waiting> = links
        .into_iter()
        .map(|link| Waiting {
            information: openness(f64::from(link.score_centibits) / 100.0),
            link,
            hangs: None,
        })
        .collect();
    sort(&mut waiting);
    for one in waiting.iter_mut().take(WEIGHED) {
        let hangs = hangs(tx, &one.link).await?;
        one.information *= weight(hangs);
        one.hangs = Some(hangs);
    }
    sort(&mut waiting);
    Ok(waiting)
}

fn sort(waiting: &mut [Waiting]) {
    waiting.sort_by(|a, b| {
        let found = |one: &Waiting| (one.link.created_at, one.link.id);
        b.information
            .total_cmp(&a.information)
            .then_with(|| found(a).cmp(&found(b)))
    });
}

/// Entropy of odds of so many bits: 1 at even odds, nearly 0 where one answer is almost sure.
fn openness(bits: f64) -> f64 {
    let surprise = |share: f64| {
        if share > 0.0 {
            -share * share.log2()
        } else {
            0.0
        }
    };
    let share = 1.0 / (1.0 + bits.exp2());
    surprise(share) + surprise(1.0 - share)
}

/// 1 for two records without a case.
fn weight(hangs: Hangs) -> f64 {
    ((hangs.records + hangs.open_cases).max(2) as f64).log2()
}

async fn hangs(tx: &mut Tx, link: &LinkDoc) -> Result<Hangs, StoreError> {
    let mut found = Hangs {
        records: 0,
        open_cases: 0,
    };
    let mut seen = None;
    for key in [&link.a, &link.b] {
        let Some(record) = family::record(tx, &key.system, &key.person).await? else {
            continue;
        };
        if seen == Some(record.person_id) {
            continue;
        }
        seen = Some(record.person_id);
        for record in family::records_of(tx, record.person_id).await? {
            found.records += 1;
            let cases = tx
                .find::<InvolvementDoc>("involvement.record", &RecordDoc::key_of(&record.key))
                .await?;
            found.open_cases += cases.iter().filter(|case| case.is_open).count();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_odds_say_most_and_sure_ones_nothing() {
        assert!((openness(0.0) - 1.0).abs() < 1e-12);
        assert!((openness(3.0) - openness(-3.0)).abs() < 1e-12);
        let falling: Vec<f64> = [0.0, 1.0, 4.0, 9.0, 60.0, 2000.0].map(openness).into();
        assert!(
            falling.is_sorted_by(|a, b| a > b || *b == 0.0),
            "{falling:?}"
        );
        assert!(falling.iter().all(|one| one.is_finite()));
    }

    #[test]
    fn more_records_and_cases_weigh_more() {
        let weight = |records, open_cases| {
            super::weight(Hangs {
                records,
                open_cases,
            })
        };
        assert!((weight(2, 0) - 1.0).abs() < 1e-12);
        assert!(weight(2, 1) > weight(2, 0));
        assert!(weight(5, 2) > weight(3, 2));
    }
}
