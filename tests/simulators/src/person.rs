//! A synthetic person as the simulated systems know one.

use jiff::civil::Date;

/// A made-up person. Each system writes down only the part it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Day of birth.
    pub birth_date: Date,
    /// `F` or `M`.
    pub sex: char,
    /// Nine digits; area numbers of 900 and above are never issued.
    pub ssn: String,
    /// Client Index Number, nine characters.
    pub cin: String,
    /// False for the head of the family, true for a child.
    pub is_child: bool,
}

/// A family at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Seven-character case serial, unique in its system.
    pub serial: String,
    /// Head first, then the children.
    pub members: Vec<Person>,
    /// House number.
    pub house: String,
    /// Street name.
    pub street: String,
    /// Ten digits; 555-01xx is kept for fiction.
    pub phone: String,
}

/// City of every synthetic family.
pub const CITY: &str = "Demoville";
/// Postal code of every synthetic family; not in use.
pub const ZIP: &str = "95999";
/// MEDS code of the county that the demo borrows; its FIPS code is 115, its CWS/CMS code 1125.
pub const COUNTY: &str = "58";
