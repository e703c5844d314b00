//! What each of the four systems knows about its people.

/// A kind of agency system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum System {
    /// Cash aid: whole families, checked numbers.
    Tanf,
    /// Child welfare: children first, few numbers.
    ChildWelfare,
    /// A clinic's FHIR server: single people, good telephones.
    Fhir,
    /// Homeless services: nicknames, partial numbers, no address.
    Hmis,
}

/// Shares that make a system what it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// Families of which the system knows anybody.
    pub(crate) families: f64,
    /// Adults and children of such a family that it knows.
    pub(crate) adults: f64,
    pub(crate) children: f64,
    /// Whole numbers of adults and children.
    pub(crate) adult_ssns: f64,
    pub(crate) child_ssns: f64,
    /// Of the numbers, how many are the last four digits only.
    pub(crate) partial_ssns: f64,
    pub(crate) cins: f64,
    pub(crate) middle_names: f64,
    pub(crate) phones: f64,
    pub(crate) addresses: f64,
    /// Errors beside those of the other systems.
    pub(crate) carelessness: f64,
}

impl System {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Tanf, Self::ChildWelfare, Self::Fhir, Self::Hmis];

    /// Name of the system in the tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Tanf => "tanf",
            Self::ChildWelfare => "cws",
            Self::Fhir => "fhir",
            Self::Hmis => "hmis",
        }
    }

    /// Whether quality codes stand beside names, numbers and birth dates.
    pub(crate) fn has_quality_codes(self) -> bool {
        self == Self::Hmis
    }

    pub(crate) fn habits(self) -> Habits {
        match self {
            Self::Tanf => Habits {
                families: 0.55,
                adults: 0.9,
                children: 0.95,
                adult_ssns: 0.93,
                child_ssns: 0.85,
                partial_ssns: 0.0,
                cins: 0.95,
                middle_names: 0.5,
                phones: 0.8,
                addresses: 0.95,
                carelessness: 0.8,
            },
            Self::ChildWelfare => Habits {
                families: 0.35,
                adults: 0.75,
                children: 0.95,
                adult_ssns: 0.45,
                child_ssns: 0.4,
                partial_ssns: 0.0,
                cins: 0.3,
                middle_names: 0.4,
                phones: 0.6,
                addresses: 0.85,
                carelessness: 1.2,
            },
            Self::Fhir => Habits {
                families: 0.6,
                adults: 0.55,
                children: 0.55,
                adult_ssns: 0.4,
                child_ssns: 0.25,
                partial_ssns: 0.1,
                cins: 0.0,
                middle_names: 0.45,
                phones: 0.9,
                addresses: 0.9,
                carelessness: 0.8,
            },
            Self::Hmis => Habits {
                families: 0.3,
                adults: 0.85,
                children: 0.8,
                adult_ssns: 0.75,
                child_ssns: 0.5,
                partial_ssns: 0.35,
                cins: 0.0,
                middle_names: 0.25,
                phones: 0.45,
                addresses: 0.15,
                carelessness: 1.5,
            },
        }
    }
}
