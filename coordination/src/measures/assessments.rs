//! Ways out of crisis: AS-2, AS-3, AS-4 and AS-7.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tandem_mappings::model::assessment::Band;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::RecordKey;

use super::PersonKey;
use super::report::Scene;
use crate::assessment::{Course, is_stable_or_thriving};
use crate::masking::{MeasuredRow, Stratum};

/// Whether a course counts; `None` when it is in no denominator.
type Judge = fn(&Course) -> Option<bool>;

const JUDGES: [(&str, Judge); 4] = [
    ("AS-2", |course| {
        Some(is_stable_or_thriving(course.latest()))
    }),
    ("AS-3", Course::out_of_crisis),
    ("AS-4", Course::crisis_to_stable),
    ("AS-7", Course::deteriorated),
];

impl Scene<'_> {
    /// AS-2, AS-3, AS-4 and AS-7 over everything rated until the end of the period, by domain and for
    /// the whole. The unit is a person in a domain; a rating of the household counts once.
    pub(super) fn assessment_rows(&self) -> Vec<MeasuredRow> {
        let courses = self.courses();
        let mut rows = Vec::new();
        for (indicator, judge) in JUDGES {
            let mut by_domain: BTreeMap<Domain, (u64, u64)> = BTreeMap::new();
            for ((_, domain), course) in &courses {
                if let Some(counts) = judge(course) {
                    let (numerator, denominator) = by_domain.entry(*domain).or_default();
                    *numerator += u64::from(counts);
                    *denominator += 1;
                }
            }
            let (mut numerator, mut denominator) = (0, 0);
            for (domain, (part, whole)) in by_domain {
                (numerator, denominator) = (numerator + part, denominator + whole);
                let stratum = Stratum::whole().with("domain", domain.code());
                rows.push(self.share_row(indicator, stratum, part, whole));
            }
            rows.push(self.share_row(indicator, Stratum::whole(), numerator, denominator));
        }
        rows
    }

    fn courses(&self) -> BTreeMap<(PersonKey, Domain), Course> {
        let mut rated: Vec<(Date, PersonKey, Domain, Band)> = Vec::new();
        for (system, assessment) in &self.facts.assessments {
            let Some(instrument) = self.instruments.get(assessment.instrument.as_str()) else {
                continue;
            };
            if assessment.rated_on > self.period.end() {
                continue;
            }
            let key = |person: &tandem_mappings::model::id::SourcePersonId| {
                let record = RecordKey {
                    system: system.clone(),
                    person: person.clone(),
                };
                self.snapshot.person(&record)
            };
            // The household is known by its first person, whichever system rated it.
            let household = assessment.people.iter().map(key).min();
            for rating in &assessment.ratings {
                let unit = rating
                    .person
                    .as_ref()
                    .map(key)
                    .or_else(|| household.clone());
                // A rating that is none of its instrument was reported when it was read.
                if let (Some(unit), Ok(Some(band))) = (unit, instrument.rate(rating)) {
                    rated.push((assessment.rated_on, unit, rating.domain, band));
                }
            }
        }
        rated.sort_by_key(|(day, ..)| *day);
        let mut courses: BTreeMap<(PersonKey, Domain), Course> = BTreeMap::new();
        for (day, unit, domain, band) in rated {
            courses
                .entry((unit, domain))
                .and_modify(|course| course.add(day, band))
                .or_insert_with(|| Course::new(day, band));
        }
        courses
    }
}
