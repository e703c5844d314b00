//! An invented family that both agencies serve, and what they tell of it.

use serde_json::{Value, json};
use tandem::clock::Clock;

/// A family: one mother, known to both systems, with a case in each.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    pub(crate) number: u32,
    /// What each told the other of it so far, counted.
    pub(crate) told: Told,
    /// Since when its consent is known to be taken back.
    pub(crate) revoked: Option<jiff::Timestamp>,
}

/// How often each agency told something that the other is to hear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) by_calworks: u32,
    pub(crate) by_cws: u32,
}

/// The day that says which telling it was: they count up.
pub(crate) fn day_of(number: u32) -> String {
    let first = jiff::civil::date(1990, 1, 1);
    let days = jiff::Span::new().days(i64::from(number));
    first.checked_add(days).unwrap().to_string()
}

impl Family {
    pub(crate) const fn new(number: u32) -> Self {
        Self {
            number,
            told: Told {
                by_calworks: 0,
                by_cws: 0,
            },
            revoked: None,
        }
    }

    pub(crate) fn in_calworks(&self) -> String {
        format!("cw-{}", self.number)
    }

    fn in_cws(&self) -> String {
        format!("cs-{}", self.number)
    }

    pub(crate) fn consent(&self) -> String {
        format!("consent-{}", self.number)
    }

    pub(crate) fn calworks_case(&self) -> String {
        format!("CASE-{}", self.number)
    }

    /// The case in child welfare, as its screens show it.
    pub(crate) fn cws_case(&self) -> String {
        format!("0000-0000-0000-{:07}", self.number)
    }

    fn person(&self) -> Value {
        let number = self.number;
        json!({
            "names": [{
                "given": format!("Testa{}", letters(number)),
                "family": format!("Demofield{}", letters(number * 7 + 3)),
                "name_use": "official", "quality": "full",
            }],
            "birth": { "date": format!("19{:02}-{:02}-{:02}", 50 + number % 40, 1 + number % 12, 1 + number % 28), "quality": "exact" },
            "sex": "female",
            "identifiers": [],
            "ssn": { "ssn": format!("9{:08}", 10_000_019 + u64::from(number) * 7_919), "quality": "full" },
        })
    }

    fn event(&self, id: &str, person: &str, kind: &str, payload: &Value) -> Value {
        json!({
            "occurred_at": Clock::System.now().to_string(),
            "source_event_id": format!("{}-{id}", self.number),
            "source_person_id": person,
            "type": kind,
            "payload": payload,
        })
    }

    /// What each system tells first: who tells, and the events.
    pub(crate) fn introduction(&self) -> [(&'static str, Value); 2] {
        let known = |who: &str, program: &str, case: &str| {
            let worker = json!({ "id": format!("{program}-1"), "name": "Wanda Workerfield" });
            let case = json!({ "program": program, "case": case, "people": [who], "status": "open", "worker": worker });
            json!([
                self.event(
                    &format!("{who}-known"),
                    who,
                    "record.received",
                    &json!({ "record_kind": "Client", "person": self.person() })
                ),
                self.event(&format!("{who}-case"), who, "case.opened", &case),
            ])
        };
        [
            (
                "calworks",
                known(&self.in_calworks(), "calworks", &self.calworks_case()),
            ),
            (
                "cws",
                known(&self.in_cws(), "child-welfare", &self.cws_case()),
            ),
        ]
    }

    /// CalWORKs begins to co-manage.
    pub(crate) fn start(&self) -> Value {
        let told = json!({
            "people": [self.in_calworks()],
            "case": self.calworks_case(),
            "start_reason": "family-maintenance",
            "worker": { "id": "calworks-1", "name": "Wanda Workerfield" },
        });
        json!([self.event("start", &self.in_calworks(), "comanagement.started", &told)])
    }

    /// The next thing that CalWORKs tells child welfare: a standing from a day that counts up.
    pub(crate) fn next_of_calworks(&mut self) -> Value {
        self.told.by_calworks += 1;
        let number = self.told.by_calworks;
        let status = ["sanctioned", "cured", "exempt", "active"];
        let told = json!({
            "person": self.in_calworks(),
            "program": "calworks",
            "status": status[number as usize % status.len()],
            "effective": day_of(number),
        });
        let id = format!("standing-{number}");
        json!([self.event(&id, &self.in_calworks(), "participation.status", &told)])
    }

    /// The next thing that child welfare tells CalWORKs: a day in court that counts up.
    pub(crate) fn next_of_cws(&mut self) -> Value {
        self.told.by_cws += 1;
        let number = self.told.by_cws;
        let told = json!({ "person": self.in_cws(), "date": day_of(number), "what": "review" });
        let id = format!("court-{number}");
        json!([self.event(&id, &self.in_cws(), "court.date", &told)])
    }
}

/// A number in letters, so that no two families have names that are alike.
fn letters(number: u32) -> String {
    let mixed = number.wrapping_mul(2_654_435_761);
    (0..6)
        .map(|place| char::from(b'a' + u8::try_from((mixed >> (place * 5)) & 15).unwrap()))
        .collect()
}
