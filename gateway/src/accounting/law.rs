//! Which law's legal minimum asks for an entry of the list.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::Serialize;
use tandem_mappings::model::purpose::Purpose;
use utoipa::ToSchema;

/// A law that asks for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub enum Law {
    /// 45 CFR 164.528: six years, without treatment, payment and operations, what was authorised, and to the person.
    #[serde(rename = "hipaa-164.528")]
    Hipaa,
    /// 42 CFR 2.24: disclosures by an intermediary under a general designation, three years.
    #[serde(rename = "part2-2.24")]
    Part2,
    /// California Welfare and Institutions Code 5328.6: every disclosure of mental-health services' records.
    #[serde(rename = "lps-5328.6")]
    Lps,
    /// 34 CFR 99.32: each disclosure of education records, without those by consent and to the parent or student.
    #[serde(rename = "ferpa-99.32")]
    Ferpa,
}

/// What the laws look at in one told item.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The law's rule set that permitted it.
    pub regime: &'a str,
    /// Whether that rests on a directive.
    pub is_consented: bool,
    /// Whether the directive names its recipients only as a class or as all participants.
    pub is_general: bool,
    /// Why it was told.
    pub purpose: Option<Purpose>,
}

impl Law {
    /// The law that asks for this item, told on this day, in an account of `today`.
    #[must_use]
    pub fn of(told: Told<'_>, day: Date, today: Date) -> Option<Self> {
        let within = |years: i64| {
            today
                .checked_sub(Span::new().years(years))
                .is_ok_and(|first| day >= first)
        };
        let is_to_person = told.purpose == Some(Purpose::PatientRequest);
        match told.regime {
            "hipaa" => {
                let is_exempt =
                    told.is_consented || is_to_person || told.purpose.is_some_and(is_operations);
                (!is_exempt && within(6)).then_some(Self::Hipaa)
            }
            "part2" => (told.is_consented && told.is_general && within(3)).then_some(Self::Part2),
            "lps" => Some(Self::Lps),
            "ferpa" => (!told.is_consented && !is_to_person).then_some(Self::Ferpa),
            _ => None,
        }
    }
}

/// Treatment, payment and health care operations (45 CFR 164.528(a)(1)(i)); HL7 puts COC, ETREAT and BTG under
/// treatment and CAREMGT under operations.
fn is_operations(purpose: Purpose) -> bool {
    matches!(
        purpose,
        Purpose::Treat
            | Purpose::CoordinationOfCare
            | Purpose::EmergencyTreatment
            | Purpose::BreakTheGlass
            | Purpose::HealthcarePayment
            | Purpose::HealthcareOperations
            | Purpose::CareManagement
    )
}

/// The day of an instant in a zone.
#[must_use]
pub(super) fn day(at: Timestamp, zone: &jiff::tz::TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn told(regime: &str, purpose: Purpose) -> Told<'_> {
        Told {
            regime,
            is_consented: false,
            is_general: false,
            purpose: Some(purpose),
        }
    }

    #[test]
    fn each_law_asks_for_its_own_minimum() {
        let (today, law) = (date(2026, 2, 2), Law::of);
        let recent = date(2025, 1, 1);
        let housing = told("hipaa", Purpose::Housing);
        assert_eq!(law(housing, recent, today), Some(Law::Hipaa));
        assert_eq!(law(housing, date(2020, 2, 2), today), Some(Law::Hipaa));
        assert_eq!(law(housing, date(2020, 2, 1), today), None);
        assert_eq!(law(told("hipaa", Purpose::Treat), recent, today), None);
        assert_eq!(
            law(told("hipaa", Purpose::PatientRequest), recent, today),
            None
        );
        let authorised = Told {
            is_consented: true,
            ..housing
        };
        assert_eq!(law(authorised, recent, today), None);
        let named = Told {
            regime: "part2",
            ..authorised
        };
        assert_eq!(law(named, recent, today), None);
        let general = Told {
            is_general: true,
            ..named
        };
        assert_eq!(law(general, recent, today), Some(Law::Part2));
        assert_eq!(law(general, date(2023, 2, 1), today), None);
        assert_eq!(
            law(told("lps", Purpose::Treat), date(2001, 1, 1), today),
            Some(Law::Lps)
        );
        assert_eq!(
            law(told("ferpa", Purpose::Housing), recent, today),
            Some(Law::Ferpa)
        );
        assert_eq!(law(told("tanf", Purpose::Housing), recent, today), None);
    }
}
