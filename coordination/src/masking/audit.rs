//! The checker: can a reader compute a masked count?
//!
//! The reader knows every shown count, every sum, that counts are not negative, the threshold and the
//! kind of each mask: a primary count lies in 1..threshold, any other masked one is at least the
//! threshold. A masked count is safe when another set of counts, equal in everything that is shown
//! and different in this count, fits all of that: a witness. The search is exact and bounded; a
//! count for which no witness was found within the bound is reported as derivable, so that the
//! checker errs on the side of masking.

use super::{CellKey, Release, Suppression};

/// Search steps per masked count. Tables of a county need some tens.
const STEPS: u32 = 20_000;

/// A masked count that a reader can compute, or for which the contrary could not be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivable {
    /// Index into [`Release::cells`].
    pub cell: usize,
    /// Which count.
    pub key: CellKey,
}

/// Checks that no masked count follows from shown counts, totals, other strata, other indicators of
/// the release or `earlier` releases of the same period.
///
/// # Errors
/// Every masked count without a witness.
pub fn audit(release: &Release, threshold: u64, earlier: &[Release]) -> Result<(), Vec<Derivable>> {
    let system = System::of(release, threshold, earlier);
    let mut safe = vec![false; release.cells.len()];
    let mut derivable = Vec::new();
    for (index, cell) in release
        .cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| cell.is_masked())
    {
        // What was shown once stays known, whatever it was corrected to since.
        let was_shown = earlier
            .iter()
            .filter_map(|release| release.cell(&cell.key))
            .any(|earlier| !earlier.is_masked());
        if !was_shown && safe.get(index) == Some(&true) {
            continue;
        }
        match system.witness(index).filter(|_| !was_shown) {
            Some(witness) => {
                let differs = witness
                    .iter()
                    .zip(&system.truth)
                    .map(|(found, truth)| found != truth);
                for (slot, differs) in safe.iter_mut().zip(differs) {
                    *slot |= differs;
                }
            }
            None => derivable.push(Derivable {
                cell: index,
                key: cell.key.clone(),
            }),
        }
    }
    if derivable.is_empty() {
        Ok(())
    } else {
        Err(derivable)
    }
}

type Bounds = Vec<(u64, u64)>;

/// Everything a reader knows, as bounds and relations over counts.
struct System {
    truth: Vec<u64>,
    bounds: Bounds,
    sums: Vec<(usize, Vec<usize>)>,
    at_most: Vec<(usize, usize)>,
}

impl System {
    fn of(release: &Release, threshold: u64, earlier: &[Release]) -> Self {
        let mut system = Self {
            truth: vec![],
            bounds: vec![],
            sums: vec![],
            at_most: vec![],
        };
        let own: Vec<usize> = release
            .cells
            .iter()
            .map(|cell| system.add(cell, threshold))
            .collect();
        system.relate(release, &own);
        for old in earlier {
            // The same count in both releases is one unknown; a corrected one is its own.
            let places: Vec<usize> = old
                .cells
                .iter()
                .map(|cell| {
                    let same = release
                        .cells
                        .iter()
                        .position(|new| new.key == cell.key && new.count == cell.count);
                    match same {
                        Some(index) => {
                            system.narrow(index, cell, threshold);
                            index
                        }
                        None => system.add(cell, threshold),
                    }
                })
                .collect();
            system.relate(old, &places);
        }
        system
    }

    fn add(&mut self, cell: &super::Cell, threshold: u64) -> usize {
        self.truth.push(cell.count);
        self.bounds.push(known_bounds(cell, threshold));
        self.truth.len() - 1
    }

    fn narrow(&mut self, index: usize, cell: &super::Cell, threshold: u64) {
        let (low, high) = known_bounds(cell, threshold);
        if let Some(bounds) = self.bounds.get_mut(index) {
            *bounds = (bounds.0.max(low), bounds.1.min(high));
        }
    }

    fn relate(&mut self, release: &Release, places: &[usize]) {
        let place = |index: usize| places.get(index).copied();
        for sum in &release.sums {
            let parts: Option<Vec<usize>> = sum.parts.iter().map(|&part| place(part)).collect();
            if let (Some(total), Some(parts)) = (place(sum.total), parts) {
                self.sums.push((total, parts));
            }
        }
        for &(part, whole) in &release.at_most {
            if let (Some(part), Some(whole)) = (place(part), place(whole)) {
                self.at_most.push((part, whole));
            }
        }
    }

    /// Other counts that a reader must hold possible and that differ from the truth in `cell`.
    fn witness(&self, cell: usize) -> Option<Vec<u64>> {
        let mut steps = STEPS;
        let mut bounds = self.bounds.clone();
        if !self.tighten(&mut bounds, &mut steps) {
            return None;
        }
        let (&(low, high), &truth) = (bounds.get(cell)?, self.truth.get(cell)?);
        let local = self.around(cell, &mut bounds);
        // Near values first: most tables have a witness one step away.
        for distance in 1..=high.saturating_sub(truth).max(truth.saturating_sub(low)) {
            for value in [truth.checked_add(distance), truth.checked_sub(distance)] {
                let Some(value) = value.filter(|value| (low..=high).contains(value)) else {
                    continue;
                };
                let mut trial = bounds.clone();
                *trial.get_mut(cell)? = (value, value);
                if let Some(found) = local.search(trial, &mut steps) {
                    return Some(found);
                }
                if steps == 0 {
                    return None;
                }
            }
        }
        None
    }

    /// Sets every count that no chain of open counts ties to `cell` to its true value, since it
    /// cannot help or hinder, and leaves out the relations among those.
    fn around(&self, cell: usize, bounds: &mut Bounds) -> Self {
        let is_open = |index: usize| bounds.get(index).is_some_and(|(low, high)| low < high);
        let mut tied = vec![false; bounds.len()];
        let mut waiting = vec![cell];
        while let Some(index) = waiting.pop() {
            match tied.get_mut(index) {
                Some(slot) if !*slot => *slot = true,
                _ => continue,
            }
            for (total, parts) in &self.sums {
                if *total == index || parts.contains(&index) {
                    let members = parts.iter().chain([total]);
                    waiting.extend(members.filter(|&&member| is_open(member)));
                }
            }
            for &(part, whole) in &self.at_most {
                if part == index || whole == index {
                    waiting.extend([part, whole].into_iter().filter(|&member| is_open(member)));
                }
            }
        }
        for ((slot, is_tied), &truth) in bounds.iter_mut().zip(&tied).zip(&self.truth) {
            if !is_tied {
                *slot = (truth, truth);
            }
        }
        let is_tied = |index: &usize| tied.get(*index) == Some(&true);
        let sums = self.sums.iter();
        let at_most = self.at_most.iter();
        Self {
            truth: self.truth.clone(),
            bounds: Vec::new(),
            sums: sums
                .filter(|(total, parts)| is_tied(total) || parts.iter().any(is_tied))
                .cloned()
                .collect(),
            at_most: at_most
                .filter(|(part, whole)| is_tied(part) || is_tied(whole))
                .copied()
                .collect(),
        }
    }

    /// Depth-first search for counts within bounds that fit all relations.
    fn search(&self, mut bounds: Bounds, steps: &mut u32) -> Option<Vec<u64>> {
        if !self.tighten(&mut bounds, steps) {
            return None;
        }
        let open = bounds
            .iter()
            .enumerate()
            .filter(|(_, (low, high))| low < high);
        let Some((index, (low, high))) = open.min_by_key(|(_, (low, high))| high - low) else {
            return Some(bounds.into_iter().map(|(low, _)| low).collect());
        };
        let (low, high, truth) = (*low, *high, *self.truth.get(index)?);
        let nearest = truth.clamp(low, high);
        for distance in 0..=(high - nearest).max(nearest - low) {
            for value in [nearest.checked_add(distance), nearest.checked_sub(distance)] {
                let Some(value) = value.filter(|value| (low..=high).contains(value)) else {
                    continue;
                };
                let mut trial = bounds.clone();
                *trial.get_mut(index)? = (value, value);
                if let Some(found) = self.search(trial, steps) {
                    return Some(found);
                }
                if *steps == 0 {
                    return None;
                }
            }
        }
        None
    }

    /// Narrows bounds by the relations until nothing changes; `false` when they contradict each other
    /// or the steps are used up.
    fn tighten(&self, bounds: &mut Bounds, steps: &mut u32) -> bool {
        loop {
            if *steps == 0 {
                return false;
            }
            *steps -= 1;
            let before = bounds.clone();
            let fits = self
                .sums
                .iter()
                .all(|(total, parts)| tighten_sum(bounds, *total, parts))
                && self
                    .at_most
                    .iter()
                    .all(|&(part, whole)| tighten_order(bounds, part, whole));
            if !fits {
                return false;
            }
            if *bounds == before {
                return true;
            }
        }
    }
}

fn known_bounds(cell: &super::Cell, threshold: u64) -> (u64, u64) {
    match cell.suppression {
        Suppression::None => (cell.count, cell.count),
        Suppression::Primary => (1, threshold.saturating_sub(1)),
        // No reader believes in counts beyond this; it only keeps sums from overflowing.
        Suppression::Complementary | Suppression::Derived => (threshold, 1 << 40),
    }
}

fn narrow_to(bounds: &mut Bounds, index: usize, low: u64, high: u64) -> bool {
    let Some(slot) = bounds.get_mut(index) else {
        return false;
    };
    *slot = (slot.0.max(low), slot.1.min(high));
    slot.0 <= slot.1
}

fn tighten_sum(bounds: &mut Bounds, total: usize, parts: &[usize]) -> bool {
    let range = |bounds: &Bounds, index: usize| bounds.get(index).copied().unwrap_or((0, 0));
    let low: u64 = parts.iter().map(|&part| range(bounds, part).0).sum();
    let high: u64 = parts.iter().map(|&part| range(bounds, part).1).sum();
    if !narrow_to(bounds, total, low, high) {
        return false;
    }
    let (total_low, total_high) = range(bounds, total);
    parts.iter().all(|&part| {
        let (part_low, part_high) = range(bounds, part);
        let others_low = low - part_low;
        let others_high = high - part_high;
        let part_high = total_high.checked_sub(others_low);
        part_high.is_some_and(|most| {
            narrow_to(bounds, part, total_low.saturating_sub(others_high), most)
        })
    })
}

fn tighten_order(bounds: &mut Bounds, part: usize, whole: usize) -> bool {
    let range = |bounds: &Bounds, index: usize| bounds.get(index).copied().unwrap_or((0, 0));
    let ((part_low, _), (_, whole_high)) = (range(bounds, part), range(bounds, whole));
    narrow_to(bounds, part, 0, whole_high) && narrow_to(bounds, whole, part_low, u64::MAX)
}
