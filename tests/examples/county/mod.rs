//! The county that the measuring examples run in: its deployment and its people.

pub(crate) mod http;

use std::path::Path;

use tandem::demo::deployment::{self, Places};
use tandem_matching::{Address, BirthDate, Name, Quality, Record, RecordKey, Ssn};

/// The system whose records they are.
pub(crate) const SYSTEM: &str = "calworks-demo";

/// Invented people, numbered: names of syllables, so that there are many.
pub(crate) struct Invented(pub(crate) usize);

impl Invented {
    fn name(mut seed: usize, parts: usize) -> String {
        const PARTS: [&str; 24] = [
            "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro",
            "su", "ta", "ve", "wi", "xo", "yu", "za", "bre", "cli", "dro",
        ];
        let mut name = String::new();
        for _ in 0..parts {
            name.push_str(PARTS.get(seed % PARTS.len()).copied().unwrap_or_default());
            seed /= PARTS.len();
        }
        name
    }

    fn given(&self) -> String {
        Self::name(self.0.wrapping_mul(2_654_435_761) % 4_000, 3)
    }

    fn family(&self) -> String {
        Self::name(self.0.wrapping_mul(40_503) % 60_000, 4)
    }

    fn birth(&self) -> String {
        let number = self.0.wrapping_mul(48_271);
        let (year, month) = (1940 + number % 80, 1 + number / 80 % 12);
        format!("{year}-{month:02}-{:02}", 1 + number / 960 % 28)
    }

    fn ssn(&self) -> String {
        format!("9{:08}", self.0 % 100_000_000)
    }

    /// As the engine is told of them.
    pub(crate) fn record(&self) -> Record {
        let mut record = Record::new(RecordKey::new(SYSTEM, self.0.to_string()));
        record.names = vec![Name::new(self.given(), String::new(), self.family())];
        record.birth_date = BirthDate::parse(&self.birth(), Quality::default());
        record.ssn = Ssn::parse(&self.ssn());
        record.addresses = vec![Address {
            street: format!("{} Example Avenue {}", self.0 % 900, self.0 / 5_000),
            city: "Sampleton".to_owned(),
            state: "CA".to_owned(),
            zip: format!("9{:04}", self.0 / 5_000 % 10_000),
        }];
        record
    }

    /// As a match query asks about them.
    pub(crate) fn question(&self, scope: &str) -> String {
        serde_json::json!({ "scope": scope, "purpose": "COC", "person": self.person() }).to_string()
    }

    /// In the form of `record.received`.
    pub(crate) fn person(&self) -> serde_json::Value {
        serde_json::json!({
            "names": [{ "given": self.given(), "family": self.family(), "name_use": "official", "quality": "full" }],
            "birth": { "date": self.birth(), "quality": "exact" },
            "ssn": { "ssn": self.ssn(), "quality": "full" },
        })
    }
}

/// The demo county's deployment, with limits that do not end the measurement.
pub(crate) fn deploy(folder: &Path) {
    let nobody = "http://127.0.0.1:9/fhir".to_owned();
    let places = Places {
        cws_inbox: "http://127.0.0.1:9/".to_owned(),
        clinic: nobody.clone(),
        behavioral_health: nobody,
        partner_token: "unused".to_owned(),

        postgres: None,
    };
    deployment::write(folder, &places).unwrap();
    let file = folder.join("gateway.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let limits = "limits = { requests_per_second = 200, burst = 400 }";
    let generous =
        "limits = { requests_per_second = 1000000, burst = 1000000, match_quantum_ms = 1 }";
    // Nothing else is to hold the index while it is asked.
    let config = format!("linking = {{ learn = false }}\n{config}");
    std::fs::write(&file, config.replace(limits, generous)).unwrap();
}

/// Lets the county's system ask about its own records, which are then in memory a second time.
pub(crate) fn allow_own_matches(folder: &Path) {
    let file = folder.join("gateway.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let system = format!("[systems.{SYSTEM}]\n");
    let own = format!("{system}own_matches = true\n");
    std::fs::write(&file, config.replace(&system, &own)).unwrap();
}
