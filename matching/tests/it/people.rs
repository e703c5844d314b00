//! Short ways to write records in tests. All people are invented.

use tandem_matching::{
    Address, BirthDate, Decision, Engine, Explanation, Name, Quality, Record, RecordKey, Sex, Ssn,
};

/// A record with a name and a birth date.
pub(crate) fn person(system: &str, id: &str, first: &str, last: &str, birth: &str) -> Record {
    let mut record = Record::new(RecordKey::new(system, id));
    record.names = vec![Name::new(first, "", last)];
    record.birth_date = BirthDate::parse(birth, Quality::Full);
    record
}

/// Further values of a record, one after the other.
pub(crate) trait With: Sized {
    fn ssn(self, text: &str) -> Self;
    fn cin(self, text: &str) -> Self;
    fn sex(self, sex: Sex) -> Self;
    fn phone(self, text: &str) -> Self;
    fn home(self, street: &str, zip: &str) -> Self;
    fn suffix(self, text: &str) -> Self;
    fn estimated(self) -> Self;
}

impl With for Record {
    fn ssn(mut self, text: &str) -> Self {
        self.ssn = Ssn::parse(text);
        assert!(self.ssn.is_some(), "an SSN was expected");
        self
    }

    fn cin(mut self, text: &str) -> Self {
        self.identifiers.insert("cin".into(), text.into());
        self
    }

    fn sex(mut self, sex: Sex) -> Self {
        self.sex = sex;
        self
    }

    fn phone(mut self, text: &str) -> Self {
        self.phones.push(text.into());
        self
    }

    fn home(mut self, street: &str, zip: &str) -> Self {
        let address = Address {
            street: street.into(),
            zip: zip.into(),
            ..Address::default()
        };
        self.addresses.push(address);
        self
    }

    fn suffix(mut self, text: &str) -> Self {
        self.suffix = Some(text.into());
        self
    }

    fn estimated(mut self) -> Self {
        self.birth_date = self.birth_date.map(|date| {
            let (year, month, day) = (2021, 9, 1);
            assert_ne!(date.quality(), Quality::Approximate);
            BirthDate::new(jiff::civil::date(year, month, day), Quality::Approximate)
        });
        self
    }
}

/// The decision about two records that stand alone.
pub(crate) fn decision(a: &Record, b: &Record) -> Decision {
    explain(a, b).map_or(Decision::NoLink, |explanation| explanation.decision)
}

/// The explanation about two records that stand alone; none when they are not linked.
pub(crate) fn explain(a: &Record, b: &Record) -> Option<Explanation> {
    let engine = Engine::standard().unwrap();
    let result = engine.link(&[a.clone(), b.clone()]).unwrap();
    result.pair(&a.key, &b.key).map(|pair| result.explain(pair))
}
