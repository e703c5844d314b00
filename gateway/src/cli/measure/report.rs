//! The match rates of tables, computed as the gateway computes them from events.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use tandem_coordination::assessment::Instruments;
use tandem_coordination::calendar::Calendar;
use tandem_coordination::indicators::Indicators;
use tandem_coordination::masking::{
    self, MeasuredRow, PublicRow, Release, Stratum, protect, publish,
};
use tandem_coordination::measures::{
    Facts, Parameters, ReportHeader, Scene, Snapshot, SystemPair, Unit, measure,
};
use tandem_coordination::period::Period;
use tandem_coordination::referral::Rules;
use tandem_mappings::model::id::{IdError, Jurisdiction, RecordKey, SourcePersonId, SystemId};

use super::links::Links;
use super::table::misfit;
use crate::cli::exit::Failure;
use crate::cli::link::LinkedTables;
use crate::clock::Clock;

/// Base populations, open cases and links, before anything is counted.
#[derive(Debug)]
pub(super) struct MatchRates {
    jurisdiction: Jurisdiction,
    period: Period,
    links: Links,
    facts: Facts,
    with_open: BTreeSet<SystemId>,
}

/// What came out.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) header: ReportHeader,
    pub(super) pairs: Vec<SystemPair>,
    pub(super) rows: Vec<PublicRow>,
    pub(super) is_public: bool,
    /// The linking, when it was done in the run.
    pub(super) linked: Option<LinkedTables>,
}

impl MatchRates {
    pub(super) fn new(jurisdiction: Jurisdiction, period: Period, links: Links) -> Self {
        Self {
            jurisdiction,
            period,
            links,
            facts: Facts::default(),
            with_open: BTreeSet::new(),
        }
    }

    /// Takes the records of a table as a system's base.
    pub(super) fn add_base(
        &mut self,
        system: &SystemId,
        people: Vec<(u64, SourcePersonId)>,
        file: &Path,
    ) -> Result<(), Failure> {
        let people = self.known(system, people, file)?;
        self.facts.add_base(system, people).map_err(unexpected)
    }

    /// Takes every record as part of its system's base.
    pub(super) fn take_all_as_base(&mut self) -> Result<(), Failure> {
        for system in &self.links.systems {
            let keys = self.links.persons.keys();
            let own = keys.filter(|key| key.system == *system);
            let people = own.map(|key| key.person.clone());
            self.facts.add_base(system, people).map_err(unexpected)?;
        }
        Ok(())
    }

    /// Takes the records of a table as a system's open cases.
    pub(super) fn add_open(
        &mut self,
        system: &SystemId,
        people: Vec<(u64, SourcePersonId)>,
        file: &Path,
    ) -> Result<(), Failure> {
        if !self.links.systems.contains(system) {
            return Err(Failure::Usage(format!(
                "--open {system}: there are no records of a system of this name"
            )));
        }
        let people = self.known(system, people, file)?;
        self.with_open.insert(system.clone());
        self.facts
            .add_open_cases(system, people)
            .map_err(unexpected)
    }

    /// Whoever stands in no cluster may be linked or not: nobody knows, and no rate can be told.
    fn known(
        &self,
        system: &SystemId,
        people: Vec<(u64, SourcePersonId)>,
        file: &Path,
    ) -> Result<Vec<SourcePersonId>, Failure> {
        let known = |(line, person): (u64, SourcePersonId)| {
            let key = RecordKey {
                system: system.clone(),
                person,
            };
            match self.links.persons.contains_key(&key) {
                true => Ok(key.person),
                false => Err(misfit(
                    file,
                    line,
                    "record_id",
                    "a record of the system that was linked",
                )),
            }
        };
        people.into_iter().map(known).collect()
    }

    /// Counts in persons and in records, for each pair of systems; masks for the public.
    pub(super) fn measure(self, wanted: &[&str], is_public: bool) -> Result<Measured, Failure> {
        let indicators = Indicators::shipped(None).context("loading the indicators")?;
        let pairs = Pairs::of(&self.links.systems, &self.with_open);
        let snapshot = Snapshot::new(&self.links.snapshot_id(), self.links.persons);
        let rules = Rules::shipped().context("loading the rules of referrals")?;
        let instruments = Instruments::shipped().context("loading the instruments")?;
        let mut rows = Vec::new();
        let mut header = None;
        for unit in [Unit::Person, Unit::Record] {
            let parameters = Parameters {
                pairs: pairs.all.clone(),
                unit,
                ..Parameters::default()
            };
            let report = measure(&Scene {
                jurisdiction: &self.jurisdiction,
                period: self.period,
                as_of: Clock::System.now(),
                facts: &self.facts,
                snapshot: &snapshot,
                calendar: &Calendar::new(TimeZone::UTC, []),
                rules: &rules,
                instruments: &instruments,
                indicators: &indicators,
                parameters: &parameters,
            });
            rows.extend(report.rows);
            header.get_or_insert(report.header);
        }
        let header = header.context("measuring in persons and in records")?;
        rows.retain(|row| wanted.contains(&row.indicator.as_str()) && pairs.tell(row));
        Ok(Measured {
            header,
            pairs: pairs.all,
            rows: shown(rows, &indicators, is_public)?,
            is_public,
            linked: None,
        })
    }
}

/// Every pair of systems once, and turned round where only the first one's open cases are known.
struct Pairs {
    all: Vec<SystemPair>,
    /// How many of them are not turned round.
    forward: usize,
    with_open: BTreeSet<SystemId>,
}

impl Pairs {
    fn of(systems: &[SystemId], with_open: &BTreeSet<SystemId>) -> Self {
        let pair = |a: &SystemId, b: &SystemId| SystemPair {
            a: a.clone(),
            b: b.clone(),
        };
        let mut all: Vec<SystemPair> = Vec::new();
        for (place, a) in systems.iter().enumerate() {
            all.extend(systems.iter().skip(place + 1).map(|b| pair(a, b)));
        }
        let forward = all.len();
        let open = all.iter().filter(|one| with_open.contains(&one.a));
        let turned: Vec<SystemPair> = open.map(|one| pair(&one.b, &one.a)).collect();
        all.extend(turned);
        Self {
            all,
            forward,
            with_open: with_open.clone(),
        }
    }

    /// Whether the tables tell a row: MC-3 where open cases are known, the other two once for each pair.
    fn tell(&self, row: &MeasuredRow) -> bool {
        let Some(place) = self
            .all
            .iter()
            .position(|pair| is_about(&row.stratum, pair))
        else {
            return false;
        };
        match self.all.get(place) {
            Some(pair) if row.indicator == "MC-3" => self.with_open.contains(&pair.b),
            _ => place < self.forward,
        }
    }
}

/// Whether a stratum is that of a pair of systems.
pub(super) fn is_about(stratum: &Stratum, pair: &SystemPair) -> bool {
    let label = Stratum::whole().with("pair", &format!("{}>{}", pair.a, pair.b));
    label
        .iter()
        .all(|part| stratum.iter().any(|other| other == part))
}

fn shown(
    rows: Vec<MeasuredRow>,
    indicators: &Indicators,
    is_public: bool,
) -> Result<Vec<PublicRow>, Failure> {
    let mut release = Release::new(rows, indicators);
    if is_public {
        let parameters = masking::Parameters::default();
        release = protect(release, parameters, &[])
            .map_err(|error| Failure::Refused(error.to_string()))?;
    }
    Ok(publish(&release))
}

fn unexpected(error: IdError) -> Failure {
    Failure::CouldNotRun(error.into())
}
