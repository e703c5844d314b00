//! How often records go wrong.

/// Shares of records in which each error happens, at difficulty 1. They are engineering estimates: no source publishes
/// such rates for all four kinds of system. A difficulty multiplies them all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// A given or a family name has a slip of the key.
    pub name_slip: f64,
    /// A nickname stands for the given name, where there is one.
    pub nickname: f64,
    /// The given name is an initial.
    pub initial: f64,
    /// Given and middle name have changed places.
    pub middle_as_given: f64,
    /// Given and family name have changed places.
    pub swapped: f64,
    /// One of two family names is left out.
    pub one_family_name: f64,
    /// A former family name still stands, where there is one.
    pub former_name: f64,
    /// A woman's or a child's family name is another one that nothing else tells of.
    pub other_name: f64,
    /// The name is a filler ("Unknown", "Baby Boy").
    pub filler_name: f64,
    /// The birth date is blank.
    pub no_birth_date: f64,
    /// The birth date is 1 January of the year.
    pub first_january: f64,
    /// Day and month have changed places.
    pub day_month: f64,
    /// A digit of the birth date is wrong.
    pub birth_digit: f64,
    /// The sex is blank; a tenth as often it is the other one.
    pub no_sex: f64,
    /// A digit of the Social Security number is wrong, or two have changed places.
    pub ssn_slip: f64,
    /// The Social Security number is a filler (999999999).
    pub ssn_filler: f64,
    /// The Social Security number is another household member's.
    pub ssn_of_relative: f64,
    /// The telephone number is one that was given up.
    pub old_phone: f64,
    /// The address is an earlier home.
    pub old_home: f64,
    /// The street is spelt otherwise: abbreviated, misspelt, without the unit.
    pub street_form: f64,
    /// The suffix is left out.
    pub no_suffix: f64,
    /// A system holds the person twice.
    pub twice: f64,
}

impl Errors {
    /// The rates at a difficulty; 1 is the ordinary one, 0 is a world without errors.
    pub fn at(difficulty: f64) -> Self {
        let share = |rate: f64| (rate * difficulty).clamp(0.0, 0.95);
        Self {
            name_slip: share(0.025),
            nickname: share(0.16),
            initial: share(0.004),
            middle_as_given: share(0.008),
            swapped: share(0.008),
            one_family_name: share(0.3),
            former_name: share(0.35),
            other_name: share(0.02),
            filler_name: share(0.002),
            no_birth_date: share(0.015),
            first_january: share(0.02),
            day_month: share(0.008),
            birth_digit: share(0.018),
            no_sex: share(0.03),
            ssn_slip: share(0.018),
            ssn_filler: share(0.006),
            ssn_of_relative: share(0.002),
            old_phone: share(0.3),
            old_home: share(0.3),
            street_form: share(0.3),
            no_suffix: share(0.45),
            twice: share(0.015),
        }
    }
}
