//! What a T2, T3 or T5 record says about a person, and the id under which the gateway knows the person.

use jiff::civil::Date;
use tandem_adapter_port::context::ReadContext;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::date::{BirthDate, DateQuality, PartialDate};
use tandem_mappings::model::id::SourcePersonId;
use tandem_mappings::model::involvement::ParticipationStatus;
use tandem_mappings::model::person::{PersonRecord, Relation, Sex, SsnValue};
use tandem_mappings::model::ssn::{Ssn, SsnQuality};

use super::known::News;
use super::values::number;
use super::view::View;

/// Code system of codes that come from these files.
pub(super) const CODE_SYSTEM: &str = crate::describe::ACF_199_CODES;

/// A person of one record.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Id made by the gateway: the file has none.
    pub id: SourcePersonId,
    /// Fingerprint of the person, alike in every record, month and case where the number is usable; 0 until it is known.
    pub fingerprint: u64,
    /// What is new about the person, once known.
    pub news: News,
    /// Record type.
    pub kind: String,
    /// What the record says.
    pub record: PersonRecord,
    /// Relation to the head of the household.
    pub relation: Relation,
    /// The sender's own code of the relation.
    pub relation_code: Option<Coding>,
    /// Standing toward the work participation rate, with the sender's code and words where they add something.
    pub participation: Option<(ParticipationStatus, Coding, Option<&'static str>)>,
}

impl Person {
    /// Reads a person; `ssn` is the decoded text. `None` when the id cannot be made. `twin` is above 0 for another
    /// person of the case-month with the same birth date and sex, when there is no usable number to tell them apart.
    #[must_use]
    pub(super) fn read(
        kind: &str,
        view: View<'_>,
        ssn: &str,
        case: &str,
        twin: usize,
        context: &ReadContext,
    ) -> Option<Self> {
        let usable = usable(ssn);
        let birth_text = view.raw("date_of_birth");
        let sex_text = view.raw("sex");
        let place = twin.to_string();
        let mut parts = vec![CODE_SYSTEM, "case", case, birth_text, sex_text];
        parts.extend((twin > 0).then_some(place.as_str()));
        let id = match &usable {
            Some(number) => context.keyed_id(&[CODE_SYSTEM, "ssn", &number.expose(), birth_text]),
            None => context.keyed_id(&parts),
        };
        let relation_text = view.raw("relationship_hoh").trim();
        Some(Self {
            id: SourcePersonId::new(id).ok()?,
            fingerprint: 0,
            news: News::default(),
            kind: kind.to_owned(),
            record: PersonRecord {
                birth: birth(birth_text),
                sex: sex(sex_text),
                ssn: usable.map(|ssn| SsnValue {
                    ssn,
                    quality: SsnQuality::Full,
                }),
                ..PersonRecord::default()
            },
            relation: relation(number(relation_text)),
            relation_code: (!relation_text.is_empty())
                .then(|| Coding::new(CODE_SYSTEM, format!("relationship_hoh:{relation_text}"))),
            participation: participation(view.raw("work_part_status").trim()),
        })
    }
}

/// The number under which a person is known everywhere, when it is one.
#[must_use]
pub(super) fn usable(ssn: &str) -> Option<Ssn> {
    let number = ssn.parse::<Ssn>().ok()?;
    (number.is_full() && number.is_plausible()).then_some(number)
}

fn sex(code: &str) -> Option<Sex> {
    match code {
        "1" => Some(Sex::Male),
        "2" => Some(Sex::Female),
        _ => None,
    }
}

/// The birth date as far as it is one: a day that no calendar has leaves year and month.
fn birth(text: &str) -> Option<BirthDate> {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(number);
    let year = i16::try_from(part(0..4)?)
        .ok()
        .filter(|year| (1901..=2099).contains(year))?;
    let month = i8::try_from(part(4..6)?)
        .ok()
        .filter(|month| (1..=12).contains(month))?;
    let day = i8::try_from(part(6..8)?).ok();
    let date = PartialDate::new(year, Some(month), day)
        .or_else(|_| PartialDate::new(year, Some(month), None))
        .ok()?;
    Some(BirthDate {
        date,
        quality: DateQuality::Exact,
    })
}

/// Age in whole years on the first day of a month `YYYYMM`, when the birth date is a calendar day.
#[must_use]
pub(super) fn age(birth_text: &str, month_text: &str) -> Option<i32> {
    let born = birth(birth_text)?.date.full()?;
    let on = first_day(month_text)?;
    let had_birthday = (on.month(), on.day()) >= (born.month(), born.day());
    Some(i32::from(on.year()) - i32::from(born.year()) - i32::from(!had_birthday))
}

/// The first day of a month `YYYYMM`.
#[must_use]
pub(super) fn first_day(month_text: &str) -> Option<Date> {
    let (year, month) = month_text.split_at_checked(4)?;
    Date::new(
        i16::try_from(number(year)?).ok()?,
        i8::try_from(number(month)?).ok()?,
        1,
    )
    .ok()
}

/// Relationship to the head of household (items 38, 73 and 21).
fn relation(code: Option<u64>) -> Relation {
    match code {
        Some(1) => Relation::HeadOfHousehold,
        Some(2) => Relation::Spouse,
        Some(3) => Relation::Parent,
        Some(4 | 5) => Relation::Child,
        Some(6 | 7) => Relation::OtherRelative,
        Some(8..=10) => Relation::NonRelative,
        _ => Relation::Unknown,
    }
}

/// Work participation status (item 49): disregarded or not counted reads as exempt, deemed or required as active.
fn participation(code: &str) -> Option<(ParticipationStatus, Coding, Option<&'static str>)> {
    let (status, words) = match number(code)? {
        2 => (ParticipationStatus::Sanctioned, None),
        1 | 5 | 7 | 9 => (ParticipationStatus::Exempt, None),
        15..=17 | 19 => (ParticipationStatus::Active, None),
        18 => (ParticipationStatus::Active, Some("below the minimum hours")),
        _ => return None,
    };
    Some((
        status,
        Coding::new(CODE_SYSTEM, format!("work_part_status:{code}")),
        words,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_date_keeps_what_is_known() {
        assert_eq!(birth("19940517").unwrap().date.to_string(), "1994-05-17");
        assert_eq!(birth("19940231").unwrap().date.to_string(), "1994-02");
        assert!(
            birth("99999999").is_none() && birth("        ").is_none() && birth("1994").is_none()
        );
    }

    #[test]
    fn age_counts_whole_years_on_the_first_of_the_month() {
        assert_eq!(age("20011001", "202010"), Some(19));
        assert_eq!(age("20011002", "202010"), Some(18));
        assert_eq!(age("99999999", "202010"), None);
    }

    #[test]
    fn a_sanctioned_adult_is_told_as_sanctioned() {
        assert_eq!(
            participation("02").unwrap().0,
            ParticipationStatus::Sanctioned
        );
        assert_eq!(participation("19").unwrap().0, ParticipationStatus::Active);
        assert!(participation("99").is_none() && participation("").is_none());
    }
}
