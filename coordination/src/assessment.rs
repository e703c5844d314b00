//! Instruments by which a family's situation is rated, and what changed between two ratings.
//!
//! Instruments are data: `ssm-az` (Arizona Self-Sufficiency Matrix) and `hopehub-13` ship; a network may
//! add its own tables.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tandem_mappings::model::assessment::{Band, Rating};
use tandem_mappings::model::domain::Domain;
use tandem_mappings::tables::{ExampleFailure, Row, Table, TableError};

const SSM_AZ: &str = include_str!("../../mappings/tables/coordination/ssm_az.csv");
const HOPEHUB_13: &str = include_str!("../../mappings/tables/coordination/hopehub_13.csv");
const BANDS: &str = include_str!("../../mappings/tables/coordination/instrument_bands.csv");

/// Columns of a table of an instrument's domains.
pub const DOMAINS_HEADER: &[&str] = &[
    "no",
    "code",
    "name",
    "canonical_domain",
    "rated_for",
    "na_allowed",
];
const SSM_HEADER: &[&str] = &[
    "no",
    "code",
    "name",
    "canonical_domain",
    "rated_for",
    "na_allowed",
    "level1_in_crisis",
    "level2_vulnerable",
    "level3_safe",
    "level4_building_capacity",
    "level5_empowered",
];
/// Columns of the table of bands.
pub const BANDS_HEADER: &[&str] = &["instrument", "level", "band"];

/// Why a rating is not one of its instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RatingError {
    /// The instrument does not rate the domain.
    #[error("the instrument does not rate {0}")]
    UnknownDomain(Domain),
    /// The instrument has no such level.
    #[error("the instrument has no level {0}")]
    UnknownLevel(u8),
    /// Not applicable is not an answer for the domain.
    #[error("{0} must be rated")]
    MustBeRated(Domain),
}

/// One domain of an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentDomain {
    /// Number on the instrument.
    pub number: u8,
    /// Code on the instrument.
    pub code: String,
    /// Name on the instrument.
    pub name: String,
    /// The canonical domain.
    pub domain: Domain,
    /// Whether `0` or N/A is an answer.
    pub na_allowed: bool,
}

/// One instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    id: String,
    version: String,
    domains: Vec<InstrumentDomain>,
    bands: BTreeMap<u8, Band>,
}

impl Instrument {
    /// Builds an instrument from its table of domains and the table of bands of all instruments.
    ///
    /// # Errors
    /// [`TableError`] with file and line when a row is malformed.
    pub fn new(id: &str, domains: &Table, bands: &Table) -> Result<Self, TableError> {
        let of_this = bands
            .rows()
            .iter()
            .filter(|row| row.get("instrument") == id);
        let bands = of_this.map(|row| {
            let band = Band::from_code(row.get("band"))
                .ok_or_else(|| row.refuse("band", "crisis, vulnerable, stable or thriving"))?;
            Ok((row.parsed("level", "a level from 1")?, band))
        });
        Ok(Self {
            id: id.to_owned(),
            version: domains.version().to_owned(),
            domains: domains
                .rows()
                .iter()
                .map(read_domain)
                .collect::<Result<_, _>>()?,
            bands: bands.collect::<Result<_, TableError>>()?,
        })
    }

    /// Id, for example `ssm-az`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Version of the table.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The domains in the order of the instrument.
    #[must_use]
    pub fn domains(&self) -> &[InstrumentDomain] {
        &self.domains
    }

    /// The band of a level.
    #[must_use]
    pub fn band(&self, level: u8) -> Option<Band> {
        self.bands.get(&level).copied()
    }

    /// The band of a rating; `None` when it says not applicable, which enters no denominator. A
    /// level 0 means not applicable too.
    ///
    /// # Errors
    /// [`RatingError`] when the rating is not one of the instrument.
    pub fn rate(&self, rating: &Rating) -> Result<Option<Band>, RatingError> {
        let named = rating.instrument_domain.as_deref();
        let mut rated = self.domains.iter().filter(|one| {
            one.domain == rating.domain && named.is_none_or(|named| one.is_called(named))
        });
        let domain = rated
            .next()
            .ok_or(RatingError::UnknownDomain(rating.domain))?;
        match rating.level.filter(|&level| level > 0) {
            None if domain.na_allowed => Ok(None),
            None => Err(RatingError::MustBeRated(rating.domain)),
            Some(level) => self
                .band(level)
                .map(Some)
                .ok_or(RatingError::UnknownLevel(level)),
        }
    }
}

impl InstrumentDomain {
    fn is_called(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.code)
            || name.eq_ignore_ascii_case(&self.name)
            || name.parse() == Ok(self.number)
    }
}

/// The instruments of a network.
#[derive(Debug, Clone, Default)]
pub struct Instruments {
    by_id: BTreeMap<String, Instrument>,
    failed_examples: Vec<ExampleFailure>,
}

impl Instruments {
    /// The instruments that ship with Tandem.
    ///
    /// # Errors
    /// [`TableError`] when a shipped table is malformed.
    pub fn shipped() -> Result<Self, TableError> {
        let bands = Table::parse("instrument_bands.csv", BANDS, BANDS_HEADER)?
            .unique_by(&["instrument", "level"])?;
        let ssm = Table::parse("ssm_az.csv", SSM_AZ, SSM_HEADER)?.unique_by(&["code"])?;
        let hopehub =
            Table::parse("hopehub_13.csv", HOPEHUB_13, DOMAINS_HEADER)?.unique_by(&["code"])?;
        let mut instruments = Self::default();
        instruments.add(Instrument::new("ssm-az", &ssm, &bands)?);
        instruments.add(Instrument::new("hopehub-13", &hopehub, &bands)?);
        for (id, table) in [("ssm-az", &ssm), ("hopehub-13", &hopehub)] {
            let domain = |number: &str| instruments.domain_code(id, number);
            let failed = table.failed_examples(domain);
            instruments.failed_examples.extend(failed);
        }
        let failed = bands.failed_examples(|input| instruments.band_code(input));
        instruments.failed_examples.extend(failed);
        Ok(instruments)
    }

    /// The example pairs of the shipped tables that did not come true: `number -> canonical domain` and
    /// `instrument|level -> band`.
    #[must_use]
    pub fn failed_examples(&self) -> &[ExampleFailure] {
        &self.failed_examples
    }

    fn domain_code(&self, id: &str, number: &str) -> Option<String> {
        let number: u8 = number.parse().ok()?;
        let domains = self.get(id)?.domains().iter();
        let mut named = domains.filter(|one| one.number == number);
        named.next().map(|one| one.domain.code().to_owned())
    }

    fn band_code(&self, input: &str) -> Option<String> {
        let (id, level) = input.split_once('|')?;
        let band = self.get(id.trim())?.band(level.trim().parse().ok()?)?;
        Some(band.code().to_owned())
    }

    /// Adds or replaces an instrument.
    pub fn add(&mut self, instrument: Instrument) {
        self.by_id.insert(instrument.id.clone(), instrument);
    }

    /// An instrument by id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Instrument> {
        self.by_id.get(id)
    }
}

/// Whether a band is stable or thriving.
#[must_use]
pub fn is_stable_or_thriving(band: Band) -> bool {
    matches!(band, Band::Stable | Band::Thriving)
}

/// The first and the latest band of one unit in one domain. Ratings of one day replace each other:
/// early mistakes are corrected instead of adding a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    baseline: (Date, Band),
    previous: Option<(Date, Band)>,
    latest: (Date, Band),
}

impl Course {
    /// A course that begins with a rating.
    #[must_use]
    pub fn new(day: Date, band: Band) -> Self {
        Self {
            baseline: (day, band),
            previous: None,
            latest: (day, band),
        }
    }

    /// Adds a rating; ratings come in order of day.
    pub fn add(&mut self, day: Date, band: Band) {
        if day > self.latest.0 {
            self.previous = Some(self.latest);
        } else if self.previous.is_none() {
            self.baseline = (self.baseline.0, band);
        }
        self.latest = (day.max(self.latest.0), band);
    }

    /// The first band of the episode.
    #[must_use]
    pub fn baseline(&self) -> Band {
        self.baseline.1
    }

    /// The latest band.
    #[must_use]
    pub fn latest(&self) -> Band {
        self.latest.1
    }

    /// Whether there is a rating after the baseline.
    #[must_use]
    pub fn has_later(&self) -> bool {
        self.previous.is_some()
    }

    /// Crisis at baseline and no crisis now; `None` when the unit is in no denominator.
    #[must_use]
    pub fn out_of_crisis(&self) -> Option<bool> {
        self.began_in_crisis()
            .then(|| self.latest() != Band::Crisis)
    }

    /// Crisis at baseline and stable or thriving now; `None` when the unit is in no denominator.
    #[must_use]
    pub fn crisis_to_stable(&self) -> Option<bool> {
        self.began_in_crisis()
            .then(|| is_stable_or_thriving(self.latest()))
    }

    /// The latest band is lower than the one before; `None` without two ratings.
    #[must_use]
    pub fn deteriorated(&self) -> Option<bool> {
        self.previous.map(|(_, previous)| self.latest() < previous)
    }

    fn began_in_crisis(&self) -> bool {
        self.has_later() && self.baseline() == Band::Crisis
    }
}

fn read_domain(row: &Row) -> Result<InstrumentDomain, TableError> {
    let na_allowed = match row.get("na_allowed") {
        "yes" => true,
        "no" => false,
        _ => return Err(row.refuse("na_allowed", "yes or no")),
    };
    Ok(InstrumentDomain {
        number: row.parsed("no", "a number")?,
        code: row.required("code")?.to_owned(),
        name: row.required("name")?.to_owned(),
        domain: Domain::from_code(row.get("canonical_domain"))
            .ok_or_else(|| row.refuse("canonical_domain", "a canonical domain"))?,
        na_allowed,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn rating(domain: Domain, level: Option<u8>) -> Rating {
        Rating {
            domain,
            level,
            instrument_domain: None,
            person: None,
        }
    }

    #[test]
    fn the_matrix_has_eighteen_domains_and_credit_and_five_levels_in_four_bands() {
        let instruments = Instruments::shipped().unwrap();
        assert_eq!(instruments.failed_examples(), []);
        let ssm = instruments.get("ssm-az").unwrap();
        assert_eq!(ssm.domains().len(), 19);
        let bands: Vec<_> = (1..=5).filter_map(|level| ssm.band(level)).collect();
        use Band::{Crisis, Stable, Thriving, Vulnerable};
        assert_eq!(bands, [Crisis, Vulnerable, Stable, Thriving, Thriving]);
        assert_eq!(instruments.get("hopehub-13").unwrap().domains().len(), 13);
    }

    #[test]
    fn not_applicable_is_an_answer_only_where_the_instrument_says_so() {
        let instruments = Instruments::shipped().unwrap();
        let ssm = instruments.get("ssm-az").unwrap();
        assert_eq!(ssm.rate(&rating(Domain::ChildCare, None)), Ok(None));
        assert_eq!(ssm.rate(&rating(Domain::ChildCare, Some(0))), Ok(None));
        assert_eq!(
            ssm.rate(&rating(Domain::Housing, None)),
            Err(RatingError::MustBeRated(Domain::Housing))
        );
        assert_eq!(
            ssm.rate(&rating(Domain::Housing, Some(6))),
            Err(RatingError::UnknownLevel(6))
        );
        assert_eq!(
            ssm.rate(&rating(Domain::DentalCare, Some(3))),
            Err(RatingError::UnknownDomain(Domain::DentalCare))
        );
    }

    #[test]
    fn two_domains_of_one_canonical_domain_are_told_apart_by_name() {
        let instruments = Instruments::shipped().unwrap();
        let ssm = instruments.get("ssm-az").unwrap();
        let parenting = |name: &str| Rating {
            instrument_domain: Some(name.to_owned()),
            ..rating(Domain::ParentingFamily, None)
        };
        assert_eq!(ssm.rate(&parenting("parenting-skills")), Ok(None));
        assert!(ssm.rate(&parenting("family-social-relations")).is_err());
    }

    #[test]
    fn a_way_out_of_crisis_counts_only_with_a_later_rating() {
        let (first, last) = (date(2026, 2, 9), date(2026, 6, 1));
        let mut course = Course::new(first, Band::Crisis);
        assert_eq!(
            (course.out_of_crisis(), course.crisis_to_stable()),
            (None, None)
        );
        course.add(last, Band::Vulnerable);
        assert_eq!(
            (course.out_of_crisis(), course.crisis_to_stable()),
            (Some(true), Some(false))
        );
        // A correction on the same day takes the place of the mistake.
        course.add(last, Band::Stable);
        assert_eq!(course.crisis_to_stable(), Some(true));
        assert_eq!(course.deteriorated(), Some(false));
    }

    #[test]
    fn a_corrected_baseline_is_no_crisis() {
        let day = date(2026, 2, 9);
        let mut course = Course::new(day, Band::Crisis);
        course.add(day, Band::Vulnerable);
        course.add(date(2026, 6, 1), Band::Stable);
        assert_eq!(
            (course.baseline(), course.out_of_crisis()),
            (Band::Vulnerable, None)
        );
    }
}
