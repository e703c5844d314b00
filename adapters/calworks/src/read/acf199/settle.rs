//! Tells a case-month once it is known to stand.

use tandem_adapter_port::read::Stopped;
use tandem_mappings::model::coding::Coding;

use super::cases::{Cases, TOLD};
use super::emit::Family;
use super::group::Kept;
use super::people::{CODE_SYSTEM, Person};
use super::records::Role;
use super::run::Told;
use super::section::{Record, SectionRun};
use super::view::View;
use crate::tables::Section;

impl SectionRun<'_> {
    pub(super) fn settle(&mut self, group: Vec<Kept>, told: &mut Told<'_>) -> Result<(), Stopped> {
        let is_sound = group
            .first()
            .is_some_and(|first| self.cases.is_sound(first.case_month, self.header.section));
        let ready = if is_sound {
            Some(group)
        } else {
            self.groups.wait(group)
        };
        match ready {
            Some(group) => self.tell(&group, told),
            None => Ok(()),
        }
    }

    pub(super) fn tell(&mut self, group: &[Kept], told: &mut Told<'_>) -> Result<(), Stopped> {
        if told.is_rejected() {
            return Ok(());
        }
        let mut family = Family {
            is_closed: self.header.section == Section::Closed,
            ..Family::default()
        };
        let mut people = Vec::new();
        for kept in group {
            let tag = kept.text.get(..2).unwrap_or("");
            let Some(kind) = self.reader.programs.get(self.header.program, tag) else {
                continue;
            };
            let record = Record {
                kind,
                text: &kept.text,
                line: kept.line,
            };
            self.collect(record, kept.groups, &mut family, &mut people);
        }
        let case = self.cases.case(&family.case);
        for person in &mut people {
            person.news = self.known.tell(person.fingerprint, case);
        }
        family.is_new = !self.cases.is_marked(case, TOLD);
        self.cases
            .mark(Cases::case_month(case, &family.month), TOLD);
        self.emitter.tell(&family, &people, self.context, told.sink)
    }

    fn collect(&self, record: Record<'_>, kept: u8, family: &mut Family, people: &mut Vec<Person>) {
        for (place, group) in record.kind.groups.iter().enumerate() {
            let view = View::new(&group.names, record.text);
            view.raw("case_number").trim().clone_into(&mut family.case);
            view.raw("rpt_month_year").clone_into(&mut family.month);
            if record.kind.role == Role::Family {
                read_family(view, family);
                continue;
            }
            if record.kind.is_known && kept & (1 << place) != 0 {
                people.extend(self.new_person(record, view, family, people));
            }
        }
    }
}

impl SectionRun<'_> {
    /// The person of a record. Without a usable number, each record of the case-month is another person: what repeats
    /// a record has been dropped before (rules K5 and K7).
    fn new_person(
        &self,
        record: Record<'_>,
        view: View<'_>,
        family: &Family,
        people: &[Person],
    ) -> Option<Person> {
        let ssn = self.decoded(view.raw("ssn"));
        let (kind, case) = (record.kind.layout.record.as_str(), family.case.as_str());
        let is_other =
            |known: &Person, new: &Person| known.id != new.id || new.record.ssn.is_some();
        let person = (0..=people.len())
            .filter_map(|twin| Person::read(kind, view, &ssn, case, twin, self.context))
            .find(|new| people.iter().all(|known| is_other(known, new)))?;
        let fingerprint = match &person.record.ssn {
            Some(_) => self.numbered_person(&ssn, view.raw("date_of_birth")),
            None => self.cases.fingerprint(&["id", person.id.as_str()]),
        };
        Some(Person {
            fingerprint,
            ..person
        })
    }
}

fn read_family(view: View<'_>, family: &mut Family) {
    let zip = view.raw("zip_code");
    let is_zip = zip.len() == 5 && zip.bytes().all(|byte| byte.is_ascii_digit()) && zip != "00000";
    family.zip = is_zip.then(|| zip.to_owned());
    let field = if family.is_closed {
        "closure_reason"
    } else {
        "funding_stream"
    };
    let code = view.raw(field).trim();
    family.original =
        (!code.is_empty()).then(|| Coding::new(CODE_SYSTEM, format!("{field}:{code}")));
}
