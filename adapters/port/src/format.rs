//! The name of a format: `system/format`.

use std::fmt;
use std::str::FromStr;

/// A format that an adapter reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// ACF-199 / ACF-209 flat files.
    Acf199,
    /// A county's caseload batch.
    Caseload,
    /// Linkages messages, CSV batch or JSON.
    Linkages,
    /// A CWS/CMS extract.
    CwsCms,
    /// NIEM 6.0 messages.
    Niem,
    /// HMIS CSV packages.
    HmisCsv,
    /// FHIR R4 JSON: a Bundle, a resource or NDJSON.
    FhirBundle,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] = &[
        Self::Acf199,
        Self::Caseload,
        Self::Linkages,
        Self::CwsCms,
        Self::Niem,
        Self::HmisCsv,
        Self::FhirBundle,
    ];

    /// The name as `system/format`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acf199 => "calworks/acf-199",
            Self::Caseload => "calworks/caseload",
            Self::Linkages => "calworks/linkages",
            Self::CwsCms => "child-welfare/cws-cms",
            Self::Niem => "child-welfare/niem",
            Self::HmisCsv => "hmis/csv",
            Self::FhirBundle => "fhir/bundle",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no adapter knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no format is called {0}: expected one of calworks/acf-199, calworks/caseload, calworks/linkages, child-welfare/cws-cms, child-welfare/niem, hmis/csv, fhir/bundle"
)]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.name() == text)
            .ok_or_else(|| UnknownFormat(text.chars().take(60).collect()))
    }
}
