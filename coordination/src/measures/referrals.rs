//! Referrals: RF-1 to RF-10.

use std::collections::{BTreeMap, BTreeSet};

use tandem_mappings::model::referral::ReferralStatus;

use super::report::Scene;
use super::statistics::median;
use super::{PersonKey, ReferralFacts};
use crate::masking::{MeasuredRow, Stratum};
use crate::referral::Referral;
use crate::timers::is_overdue;

/// By what referrals are broken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// The canonical domain.
    Domain,
    /// The organisation that refers.
    Source,
    /// The organisation that is asked.
    Target,
}

impl Dimension {
    fn value(self, referral: &ReferralFacts) -> (&'static str, &str) {
        match self {
            Self::Domain => ("domain", referral.domain.code()),
            Self::Source => ("source", &referral.source),
            Self::Target => ("target", &referral.target),
        }
    }
}

/// A referral of the cohort, as it stands now.
struct Case<'a> {
    facts: &'a ReferralFacts,
    now: Referral,
    person: Option<PersonKey>,
}

impl Scene<'_> {
    /// RF-1 to RF-10, for the whole and for each breakdown.
    pub(super) fn referral_rows(&self) -> Vec<MeasuredRow> {
        let all: Vec<Case<'_>> = self
            .facts
            .referrals
            .values()
            .map(|facts| self.case(facts))
            .collect();
        // Entered in error is in no measure.
        let real = all
            .iter()
            .filter(|case| case.now.status() != Some(ReferralStatus::EnteredInError));
        let real: Vec<&Case<'_>> = real
            .filter(|case| case.now.requested_at().is_some())
            .collect();
        let mut groups: BTreeMap<Stratum, Vec<&Case<'_>>> = BTreeMap::new();
        groups.entry(Stratum::whole()).or_default();
        for &case in &real {
            groups.entry(Stratum::whole()).or_default().push(case);
            for breakdown in &self.parameters.breakdowns {
                let stratum = breakdown
                    .iter()
                    .fold(Stratum::whole(), |stratum, dimension| {
                        let (name, value) = dimension.value(case.facts);
                        stratum.with(name, value)
                    });
                if !stratum.is_empty() {
                    groups.entry(stratum).or_default().push(case);
                }
            }
        }
        groups
            .iter()
            .flat_map(|(stratum, cases)| self.group_rows(stratum, cases, &real))
            .collect()
    }

    fn case<'a>(&self, facts: &'a ReferralFacts) -> Case<'a> {
        let person = facts
            .person
            .as_ref()
            .map(|record| self.snapshot.person(record));
        Case {
            facts,
            now: facts.at(self.rules, self.as_of),
            person,
        }
    }

    fn group_rows(
        &self,
        stratum: &Stratum,
        group: &[&Case<'_>],
        everyone: &[&Case<'_>],
    ) -> Vec<MeasuredRow> {
        let in_period = |case: &&&Case<'_>| {
            case.now
                .requested_at()
                .is_some_and(|at| self.period.holds(self.calendar.day(at)))
        };
        let cohort: Vec<&Case<'_>> = group.iter().filter(in_period).copied().collect();
        let mut rows = vec![
            self.count_row("RF-1", stratum.clone(), cohort.len() as u64),
            self.acceptance(stratum, &cohort),
        ];
        rows.extend(self.closure(stratum, &cohort));
        rows.extend(self.waiting_times(stratum, &cohort));
        rows.push(self.overdue(stratum, group));
        rows.extend(self.reasons(stratum, &cohort));
        rows.push(self.referred_again(stratum, &cohort, everyone));
        rows.push(self.duplicates(stratum, &cohort, everyone));
        rows
    }

    /// RF-2.
    fn acceptance(&self, stratum: &Stratum, cohort: &[&Case<'_>]) -> MeasuredRow {
        let limit = self.parameters.timers.decision_limit;
        let counted = cohort.iter().filter(|case| {
            let window = case.now.delivered_at().or(case.now.requested_at());
            case.now.first_decision().is_some()
                || window
                    .is_some_and(|at| self.calendar.after_business_days(at, limit) < self.as_of)
        });
        let (mut accepted, mut all) = (0, 0);
        for case in counted {
            all += 1;
            let decision = case.now.first_decision().map(|(decision, _)| decision);
            accepted += u64::from(decision == Some(ReferralStatus::Accepted));
        }
        self.share_row("RF-2", stratum.clone(), accepted, all)
    }

    /// RF-3 and RF-4, over the referrals whose closure window has passed.
    fn closure(&self, stratum: &Stratum, cohort: &[&Case<'_>]) -> [MeasuredRow; 2] {
        let (mut closed, mut received, mut all) = (0, 0, 0);
        for case in cohort {
            let Some(requested) = case.now.requested_at() else {
                continue;
            };
            let days = self.parameters.timers.closure_window;
            let window_end = self.calendar.after_days(requested, days);
            if window_end >= self.as_of {
                continue;
            }
            all += 1;
            closed += u64::from(case.now.loop_closed_at().is_some_and(|at| at <= window_end));
            received += u64::from(case.now.service_was_received());
        }
        [
            self.share_row("RF-3", stratum.clone(), closed, all),
            self.share_row("RF-4", stratum.clone(), received, all),
        ]
    }

    /// RF-5 and RF-6.
    fn waiting_times(&self, stratum: &Stratum, cohort: &[&Case<'_>]) -> [MeasuredRow; 2] {
        let row = |indicator: &str, until: fn(&Referral) -> Option<jiff::Timestamp>| {
            let days = cohort.iter().filter_map(|case| {
                let (from, to) = (case.now.requested_at()?, until(&case.now)?);
                Some(self.calendar.days_between(from, to))
            });
            let days: Vec<i64> = days.collect();
            self.median_row(indicator, stratum.clone(), days.len() as u64, median(days))
        };
        [
            row("RF-5", Referral::closed_at),
            row("RF-6", Referral::first_contact_at),
        ]
    }

    /// RF-7: as things stood at the end of the period.
    fn overdue(&self, stratum: &Stratum, group: &[&Case<'_>]) -> MeasuredRow {
        let end = self.end_of_period();
        let open = group.iter().map(|case| case.facts.at(self.rules, end));
        let open: Vec<Referral> = open
            .filter(|then| then.is_open() && then.requested_at().is_some())
            .collect();
        let timers = &self.parameters.timers;
        let late = open
            .iter()
            .filter(|then| is_overdue(then, timers, self.calendar, end))
            .count();
        self.share_row("RF-7", stratum.clone(), late as u64, open.len() as u64)
    }

    /// RF-8: one row per reason, and the whole.
    fn reasons(&self, stratum: &Stratum, cohort: &[&Case<'_>]) -> Vec<MeasuredRow> {
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for case in cohort.iter().filter(|case| case.now.closed_at().is_some()) {
            let reason = case.now.reason().map_or("none", |reason| reason.code());
            *reasons.entry(reason).or_default() += 1;
        }
        let all = reasons.values().sum();
        let whole = self.share_row("RF-8", stratum.clone(), all, all);
        let each = reasons.into_iter().map(|(reason, count)| {
            self.share_row("RF-8", stratum.clone().with("reason", reason), count, all)
        });
        each.chain([whole]).collect()
    }

    /// RF-9.
    fn referred_again(
        &self,
        stratum: &Stratum,
        cohort: &[&Case<'_>],
        everyone: &[&Case<'_>],
    ) -> MeasuredRow {
        let (mut again, mut all) = (0, 0);
        for case in cohort {
            let unsuccessful = matches!(
                case.now.status(),
                Some(ReferralStatus::Rejected | ReferralStatus::Cancelled | ReferralStatus::Failed)
            );
            let Some(closed) = case.now.closed_at().filter(|_| unsuccessful) else {
                continue;
            };
            all += 1;
            let within = self.parameters.referred_again_within_days;
            let followed = everyone.iter().any(|other| {
                self.same_need(case, other)
                    && other.now.requested_at().is_some_and(|at| {
                        at >= closed && at <= self.calendar.after_days(closed, within)
                    })
            });
            again += u64::from(followed);
        }
        self.share_row("RF-9", stratum.clone(), again, all)
    }

    /// RF-10.
    fn duplicates(
        &self,
        stratum: &Stratum,
        cohort: &[&Case<'_>],
        everyone: &[&Case<'_>],
    ) -> MeasuredRow {
        let duplicate = cohort.iter().filter(|case| {
            everyone.iter().any(|other| {
                let (mine, theirs) = (case.now.requested_at(), other.now.requested_at());
                let was_open =
                    theirs < mine && other.now.closed_at().is_none_or(|at| Some(at) > mine);
                self.same_need(case, other) && case.facts.source != other.facts.source && was_open
            })
        });
        let duplicates = duplicate.count() as u64;
        self.share_row("RF-10", stratum.clone(), duplicates, cohort.len() as u64)
    }

    fn same_need(&self, one: &Case<'_>, other: &Case<'_>) -> bool {
        !std::ptr::eq(one.facts, other.facts)
            && one.person.is_some()
            && one.person == other.person
            && one.facts.domain == other.facts.domain
    }
}

/// Breakdowns by one dimension each.
pub(super) fn single_breakdowns() -> Vec<BTreeSet<Dimension>> {
    [Dimension::Domain, Dimension::Source, Dimension::Target]
        .into_iter()
        .map(|dimension| BTreeSet::from([dimension]))
        .collect()
}
