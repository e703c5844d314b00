//! The optional risk score of the guidelines (edition 2): points add up, 13 or more means mask.

use super::Parameters;

/// Breakdown by race or ethnicity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RaceDetail {
    /// None.
    None,
    /// A few broad groups.
    Broad,
    /// The usual groups.
    Groups,
    /// Detailed groups.
    Detailed,
}

/// How many variables beyond events, time and place a table crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// Events, time and place only; the smallest cell matters.
    PlaceOnly,
    /// That many more variables, at least one.
    More(u8),
}

/// What a table shows, for scoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoreInputs {
    /// Smallest cell above zero.
    pub smallest_cell: u64,
    /// Length of the period in months.
    pub months: u32,
    /// Residents of the smallest area shown.
    pub population: u64,
    /// Width of the narrowest age band in years; none when there is no age.
    pub age_band_years: Option<u32>,
    /// Race or ethnicity shown.
    pub race: RaceDetail,
    /// Hispanic yes or no is shown.
    pub hispanic: bool,
    /// Variables crossed.
    pub interaction: Interaction,
}

/// The score of a table.
#[must_use]
pub fn score(table: &ScoreInputs) -> i32 {
    let events = match table.smallest_cell {
        1000.. => 2,
        100.. => 3,
        11.. => 5,
        _ => 7,
    };
    let period = match table.months {
        60.. => -5,
        24.. => -3,
        12.. => 0,
        6.. => 3,
        3.. => 4,
        _ => 5,
    };
    let age = match table.age_band_years {
        None => 0,
        Some(30..) => 1,
        Some(11..) => 2,
        Some(6..) => 3,
        Some(3..) => 5,
        Some(_) => 7,
    };
    let race = match table.race {
        RaceDetail::None => 0,
        RaceDetail::Broad => 2,
        RaceDetail::Groups => 3,
        RaceDetail::Detailed => 7,
    };
    let interaction = match (table.interaction, table.smallest_cell) {
        (Interaction::PlaceOnly, 5..) => -5,
        (Interaction::PlaceOnly, 3..) => -3,
        (Interaction::PlaceOnly, _) | (Interaction::More(0), _) => 0,
        (Interaction::More(1), _) => 1,
        (Interaction::More(2), _) => 2,
        (Interaction::More(_), _) => 4,
    };
    events
        + period
        + population_points(table.population)
        + age
        + race
        + i32::from(table.hispanic)
        + interaction
}

fn population_points(population: u64) -> i32 {
    match population {
        2_000_001.. => -5,
        1_000_001.. => -3,
        560_001.. => -1,
        250_001.. => 0,
        100_001.. => 1,
        50_001.. => 3,
        20_001.. => 4,
        4_001.. => 5,
        _ => 7,
    }
}

/// Whether a table's small cells must be masked in scored mode: cells at the threshold over a large
/// enough population pass; else 13 points or more mask.
#[must_use]
pub fn must_mask(table: &ScoreInputs, parameters: Parameters) -> bool {
    let passes = table.smallest_cell >= parameters.threshold
        && table.population >= parameters.min_population;
    !passes && score(table) >= 13
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: ScoreInputs = ScoreInputs {
        smallest_cell: 4,
        months: 3,
        population: 30_000,
        age_band_years: None,
        race: RaceDetail::None,
        hispanic: false,
        interaction: Interaction::PlaceOnly,
    };

    #[test]
    fn points_add_up_and_thirteen_masks() {
        // Under 11: 7; quarter: 4; over 20 k: 4; place only, every cell at least 3: -3.
        assert_eq!(score(&TABLE), 12);
        assert!(!must_mask(&TABLE, Parameters::default()));
        let crossed = ScoreInputs {
            interaction: Interaction::More(1),
            ..TABLE
        };
        assert_eq!(score(&crossed), 16);
        assert!(must_mask(&crossed, Parameters::default()));
    }

    #[test]
    fn a_large_population_and_a_year_lower_the_score() {
        let state = ScoreInputs {
            months: 12,
            population: 39_000_000,
            ..TABLE
        };
        assert_eq!(score(&state), -1);
    }

    #[test]
    fn cells_at_the_threshold_over_a_large_population_pass_whatever_the_score() {
        let fine = ScoreInputs {
            smallest_cell: 11,
            race: RaceDetail::Detailed,
            interaction: Interaction::More(3),
            ..TABLE
        };
        assert!(score(&fine) >= 13);
        assert!(!must_mask(&fine, Parameters::default()));
        assert!(must_mask(
            &ScoreInputs {
                population: 20_000,
                ..fine
            },
            Parameters::default()
        ));
    }
}
