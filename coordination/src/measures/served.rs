//! People served, each once: UN-1 to UN-3.

use std::collections::BTreeSet;

use jiff::civil::Date;
use tandem_mappings::model::date::PartialDate;

use super::PersonKey;
use super::family::Families;
use super::report::Scene;
use crate::masking::{MeasuredRow, Stratum};

impl Scene<'_> {
    /// UN-1 to UN-3.
    pub(super) fn served_rows(&self) -> Vec<MeasuredRow> {
        let served = self.served();
        let families = Families::of(self.facts, self.snapshot);
        let reached: BTreeSet<PersonKey> = served
            .iter()
            .filter_map(|person| families.family(person))
            .cloned()
            .collect();
        let ages = self.ages();
        let mut children = std::collections::BTreeMap::new();
        for person in families.members(&reached) {
            if let Some(age) = ages.get(person).filter(|&&age| age < 18) {
                *children.entry(age_band(*age)).or_insert(0_u64) += 1;
            }
        }
        let mut rows = vec![
            self.count_row("UN-1", Stratum::whole(), served.len() as u64),
            self.count_row("UN-2", Stratum::whole(), reached.len() as u64),
            self.count_row("UN-3", Stratum::whole(), children.values().sum()),
        ];
        for band in ["0-5", "6-12", "13-17"] {
            let stratum = Stratum::whole().with("age", band);
            rows.push(self.count_row("UN-3", stratum, children.get(band).copied().unwrap_or(0)));
        }
        rows
    }

    /// Persons with a service, an accepted referral or an active plan in the period.
    fn served(&self) -> BTreeSet<PersonKey> {
        let services = self.facts.services.iter();
        let services = services
            .filter(|(_, day)| self.period.holds(*day))
            .map(|(record, _)| record);
        let accepted = self.facts.referrals.values().filter(|referral| {
            let state = referral.at(self.rules, self.as_of);
            let accepted = state.accepted_at().map(|at| self.calendar.day(at));
            let is_real = state.status()
                != Some(tandem_mappings::model::referral::ReferralStatus::EnteredInError);
            is_real && accepted.is_some_and(|day| self.period.holds(day))
        });
        let accepted = accepted.filter_map(|referral| referral.person.as_ref());
        let plans = self
            .facts
            .plans
            .values()
            .filter(|(_, span)| span.from.is_some() && span.touches(self.period));
        let planned = plans.flat_map(|(subjects, _)| subjects);
        services
            .chain(accepted)
            .chain(planned)
            .map(|record| self.snapshot.person(record))
            .collect()
    }

    /// Ages in years at the start of the period. The eldest record of a person counts.
    fn ages(&self) -> std::collections::BTreeMap<PersonKey, u16> {
        let mut ages = std::collections::BTreeMap::new();
        for (record, birth) in &self.facts.births {
            if let Some(age) = age_on(*birth, self.period.start()) {
                let slot = ages.entry(self.snapshot.person(record)).or_insert(age);
                *slot = age.max(*slot);
            }
        }
        ages
    }
}

/// Age in whole years on a day; a birthday that is not known is taken as the year's first. A child
/// born later in the period is 0.
fn age_on(birth: PartialDate, day: Date) -> Option<u16> {
    let birthday = (birth.month().unwrap_or(1), birth.day().unwrap_or(1));
    let before_birthday = (day.month(), day.day()) < birthday;
    let years = i32::from(day.year()) - i32::from(birth.year()) - i32::from(before_birthday);
    u16::try_from(years.max(0)).ok()
}

fn age_band(age: u16) -> &'static str {
    crate::masking::age_group(age)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn age_counts_whole_years_up_to_the_birthday() {
        let birth: PartialDate = "2018-03-02".parse().unwrap();
        assert_eq!(age_on(birth, date(2026, 3, 1)), Some(7));
        assert_eq!(age_on(birth, date(2026, 3, 2)), Some(8));
        assert_eq!(age_on("2021".parse().unwrap(), date(2026, 1, 1)), Some(5));
        assert_eq!(age_on(birth, date(2010, 1, 1)), Some(0));
    }
}
