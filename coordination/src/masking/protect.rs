//! Masking: primary, complementary, and what the audit still asks for.

use serde::{Deserialize, Serialize};

use super::{CellKey, Derivable, Release, Suppression, audit};

/// How small a count must be to be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// The smallest count above zero that is shown.
    pub threshold: u64,
    /// In scored mode, the smallest population of which small counts need no score.
    pub min_population: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            threshold: 11,
            min_population: 20_001,
        }
    }
}

/// The release cannot be published as it is: coarsen period, geography or strata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} masked counts could be computed from what is shown", .cells.len())]
pub struct NotProtected {
    /// The masked counts without a proof that they cannot be computed.
    pub cells: Vec<CellKey>,
}

/// Masks a release until no masked count can be computed from shown ones or from `earlier` releases
/// of the same period.
///
/// # Errors
/// [`NotProtected`] when masking alone does not suffice.
pub fn protect(
    mut release: Release,
    parameters: Parameters,
    earlier: &[Release],
) -> Result<Release, NotProtected> {
    mask_small(&mut release, parameters.threshold);
    loop {
        while mask_one_more(&mut release, parameters.threshold) {}
        let Err(derivable) = audit(&release, parameters.threshold, earlier) else {
            return Ok(release);
        };
        // Two tens in a row of twenty are each known, since a masked count is at most ten. The rule
        // of two masked cells does not see that; the audit does, and one more cell helps.
        if !derivable
            .iter()
            .any(|known| mask_beside(&mut release, known))
        {
            let cells = derivable.into_iter().map(|known| known.key).collect();
            return Err(NotProtected { cells });
        }
    }
}

/// Primary: counts from 1 to threshold - 1. Zero is shown.
fn mask_small(release: &mut Release, threshold: u64) {
    for cell in &mut release.cells {
        if (1..threshold).contains(&cell.count) {
            cell.suppression = Suppression::Primary;
        }
    }
}

/// Complementary: masks one more cell in the first line that needs it; `false` when none does.
fn mask_one_more(release: &mut Release, threshold: u64) -> bool {
    let needy = (0..release.sums.len()).find(|&line| {
        let Some(sum) = release.sums.get(line) else {
            return false;
        };
        let masked: Vec<u64> = sum
            .parts
            .iter()
            .filter_map(|&part| release.cells.get(part))
            .filter(|cell| cell.is_masked())
            .map(|cell| cell.count)
            .collect();
        let total_is_shown = release
            .cells
            .get(sum.total)
            .is_some_and(|cell| !cell.is_masked());
        let gives_away = masked.len() == 1
            || masked.iter().all(|&count| count <= 3)
            || masked.iter().sum::<u64>() < threshold;
        total_is_shown && !masked.is_empty() && gives_away
    });
    needy.is_some_and(|line| mask_in_line(release, line))
}

/// Masks the smallest shown count above zero of a line, or its total when no part is left.
fn mask_in_line(release: &mut Release, line: usize) -> bool {
    let Some(sum) = release.sums.get(line) else {
        return false;
    };
    let shown = |index: &usize| {
        release
            .cells
            .get(*index)
            .filter(|cell| !cell.is_masked() && cell.count > 0)
    };
    let smallest = sum
        .parts
        .iter()
        .filter_map(|part| shown(part).map(|cell| (cell.count, *part)))
        .min()
        .map(|(_, part)| part);
    let chosen = smallest.or_else(|| shown(&sum.total).map(|_| sum.total));
    let cell = chosen.and_then(|index| release.cells.get_mut(index));
    let found = cell.is_some();
    if let Some(cell) = cell {
        cell.suppression = Suppression::Complementary;
    }
    found
}

/// Masks one more cell in a line with a count that can be computed.
fn mask_beside(release: &mut Release, known: &Derivable) -> bool {
    let lines = release
        .sums
        .iter()
        .enumerate()
        .filter(|(_, sum)| sum.total == known.cell || sum.parts.contains(&known.cell));
    let lines: Vec<usize> = lines.map(|(line, _)| line).collect();
    lines.into_iter().any(|line| mask_in_line(release, line))
}
