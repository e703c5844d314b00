use jiff::civil::date;
use proptest::prelude::*;
use tandem_mappings::model::id::Jurisdiction;

use super::*;
use crate::indicators::Indicators;
use crate::period::Period;

fn row(indicator: &str, stratum: Stratum, numerator: u64, denominator: Option<u64>) -> MeasuredRow {
    MeasuredRow {
        indicator: indicator.to_owned(),
        period: Period::new(date(2026, 1, 1), date(2026, 3, 31)).unwrap(),
        jurisdiction: Jurisdiction::new("demo-state").unwrap(),
        stratum,
        numerator: Some(numerator),
        denominator,
        value: Some(denominator.map_or(numerator as f64, |whole| numerator as f64 / whole as f64)),
    }
}

fn indicators() -> Indicators {
    Indicators::shipped(None).unwrap()
}

/// A row of counts with its total, as counts by county and for the whole.
fn line(counts: &[u64]) -> Release {
    let parts = counts.iter().enumerate().map(|(index, &count)| {
        row(
            "RF-1",
            Stratum::whole().with("county", &index.to_string()),
            count,
            None,
        )
    });
    let total = row("RF-1", Stratum::whole(), counts.iter().sum(), None);
    Release::new(parts.chain([total]).collect(), &indicators())
}

/// A table with row totals, column totals and a grand total.
fn grid(counts: &[Vec<u64>]) -> Release {
    let mut rows = Vec::new();
    let width = counts.first().map_or(0, Vec::len);
    let domain = |index: usize| Stratum::whole().with("domain", &index.to_string());
    for (index, line) in counts.iter().enumerate() {
        let county = Stratum::whole().with("county", &index.to_string());
        for (column, &count) in line.iter().enumerate() {
            rows.push(row(
                "RF-1",
                county.clone().with("domain", &column.to_string()),
                count,
                None,
            ));
        }
        rows.push(row("RF-1", county, line.iter().sum(), None));
    }
    for column in 0..width {
        rows.push(row(
            "RF-1",
            domain(column),
            counts.iter().map(|line| line[column]).sum(),
            None,
        ));
    }
    rows.push(row(
        "RF-1",
        Stratum::whole(),
        counts.iter().flatten().sum(),
        None,
    ));
    Release::new(rows, &indicators())
}

fn masks(counts: &[u64]) -> Vec<Suppression> {
    let release = protect(line(counts), Parameters::default(), &[]).unwrap();
    release
        .cells()
        .iter()
        .map(|cell| cell.suppression)
        .collect()
}

use Suppression::{Complementary as C, None as N, Primary as P};

#[test]
fn one_small_cell_takes_the_smallest_other_with_it_and_zero_stays() {
    assert_eq!(masks(&[25, 4, 18, 0, 40]), [N, P, C, N, N, N]);
}

#[test]
fn two_very_small_cells_take_a_third_with_them() {
    assert_eq!(masks(&[3, 2, 50, 60]), [P, P, C, N, N]);
}

#[test]
fn two_small_cells_that_hide_each_other_take_nothing_more() {
    assert_eq!(masks(&[5, 7, 40]), [P, P, N, N]);
}

#[test]
fn the_checker_fails_one_masked_cell_beside_shown_siblings_and_total() {
    let mut release = line(&[25, 4, 18]);
    release.cells[1].suppression = P;
    let derivable = audit(&release, 11, &[]).unwrap_err();
    assert_eq!(
        derivable.iter().map(|known| known.cell).collect::<Vec<_>>(),
        [1]
    );
}

#[test]
fn two_tens_are_known_from_their_total_though_the_rule_of_two_is_content() {
    let mut release = line(&[10, 10, 40]);
    release.cells[0].suppression = P;
    release.cells[1].suppression = P;
    assert_eq!(audit(&release, 11, &[]).unwrap_err().len(), 2);
    assert_eq!(masks(&[10, 10, 40]), [P, P, C, N]);
}

#[test]
fn a_line_without_another_part_to_mask_loses_its_total() {
    assert_eq!(masks(&[3, 3, 3, 3]), [P, P, P, P, C]);
}

#[test]
fn a_masked_cell_in_a_table_is_hidden_along_its_column_too() {
    let table = [vec![4, 30, 20], vec![25, 18, 40], vec![60, 70, 80]];
    let release = protect(grid(&table), Parameters::default(), &[]).unwrap();
    assert_eq!(audit(&release, 11, &[]), Ok(()));
    for sum in release.sums() {
        let masked = sum
            .parts
            .iter()
            .filter(|&&part| release.cells()[part].is_masked())
            .count();
        assert_ne!(masked, 1, "{:?}", release.cells()[sum.total].key);
    }
    let small = release
        .cells()
        .iter()
        .filter(|cell| cell.suppression == P)
        .count();
    assert_eq!(small, 1);
}

#[test]
fn a_small_county_is_masked_and_the_state_total_is_shown() {
    let release = protect(line(&[1, 40, 200]), Parameters::default(), &[]).unwrap();
    let rows = publish(&release);
    assert_eq!((rows[0].numerator, rows[0].value), (None, None));
    assert_eq!(rows[0].suppressed, Suppression::Primary);
    assert_eq!(rows[1].suppressed, Suppression::Complementary);
    assert_eq!(rows[3].numerator, Some(241));
}

#[test]
fn a_cell_that_an_earlier_release_showed_can_not_be_hidden_any_more() {
    let earlier = line(&[12, 40, 200]);
    let error = protect(line(&[4, 40, 200]), Parameters::default(), &[earlier]).unwrap_err();
    assert!(
        error
            .cells
            .iter()
            .any(|key| key.stratum.to_string() == "county=0"),
        "{error:?}"
    );
}

#[test]
fn a_difference_between_two_releases_of_a_period_gives_no_masked_cell_away() {
    // The earlier release masked other cells of the same row: together they tell all.
    let mut earlier = line(&[4, 18, 30, 60]);
    earlier.cells[0].suppression = P;
    earlier.cells[2].suppression = C;
    assert_eq!(audit(&earlier, 11, &[]), Ok(()));
    let mut later = line(&[4, 18, 30, 60]);
    later.cells[0].suppression = P;
    later.cells[1].suppression = C;
    assert_eq!(audit(&later, 11, &[]), Ok(()));
    assert!(audit(&later, 11, &[earlier]).is_err());
}

#[test]
fn a_denominator_that_another_indicator_shows_is_not_hidden() {
    let rows = |shown| {
        let county = |name: &str| Stratum::whole().with("county", name);
        let rows = vec![
            row("RF-3", county("a"), 12, Some(15)),
            row("RF-4", county("a"), 11, Some(15)),
        ];
        let mut release = Release::new(rows, &indicators());
        release.cells[1].suppression = C;
        release.cells[3].suppression = if shown { N } else { C };
        release
    };
    assert!(audit(&rows(true), 11, &[]).is_err());
    assert_eq!(audit(&rows(false), 11, &[]), Ok(()));
}

#[test]
fn the_one_denominator_of_a_mix_of_reasons_gives_no_reason_away() {
    let reason = |name: &str| Stratum::whole().with("reason", name);
    let rows = vec![
        row("RF-8", reason("no-capacity"), 4, Some(44)),
        row("RF-8", reason("ineligible"), 40, Some(44)),
        row("RF-8", Stratum::whole(), 44, Some(44)),
    ];
    let mut release = Release::new(rows, &indicators());
    // Numerator 4 and the whole's numerator are masked, but every denominator tells the whole.
    release.cells[0].suppression = P;
    release.cells[4].suppression = C;
    assert!(audit(&release, 11, &[]).is_err());
}

#[test]
fn a_table_that_masking_cannot_save_loses_its_strata() {
    let county =
        |name: &str, count| row("RF-1", Stratum::whole().with("county", name), count, None);
    let rows = |small| {
        let whole = row("RF-1", Stratum::whole(), small + 240, None);
        vec![county("a", small), county("b", 40), county("c", 200), whole]
    };
    let earlier = [Release::new(rows(12), &indicators())];
    let coarse = |names: &[&str]| {
        protect_or_coarsen(
            rows(4),
            &indicators(),
            Parameters::default(),
            &earlier,
            names,
        )
    };
    assert!(coarse(&[]).is_err());
    let (release, dropped) = coarse(&["county"]).unwrap();
    assert_eq!(
        (release.cells().len(), dropped),
        (1, vec!["county".to_owned()])
    );
}

#[test]
fn a_share_goes_with_its_masked_count() {
    let rows = vec![
        row(
            "RF-3",
            Stratum::whole().with("domain", "shelter"),
            4,
            Some(20),
        ),
        row(
            "RF-3",
            Stratum::whole().with("domain", "legal"),
            30,
            Some(40),
        ),
        row(
            "RF-3",
            Stratum::whole().with("domain", "food"),
            50,
            Some(60),
        ),
        row("RF-3", Stratum::whole(), 84, Some(120)),
    ];
    let release = protect(
        Release::new(rows, &indicators()),
        Parameters::default(),
        &[],
    )
    .unwrap();
    let rows = publish(&release);
    assert_eq!(
        (rows[0].numerator, rows[0].denominator, rows[0].value),
        (None, Some(20), None)
    );
    assert_eq!(rows[3].value, Some(0.7));
}

#[test]
fn masked_numbers_are_empty_in_csv_and_absent_as_masked_in_fhir() {
    let release = protect(line(&[4, 40, 200]), Parameters::default(), &[]).unwrap();
    let rows = publish(&release);
    let mut csv = Vec::new();
    let at = "2026-04-01T00:00:00Z".parse().unwrap();
    write_csv(&mut csv, &rows, "L-17", "1", at).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let expected =
        "RF-1,2026-01-01,2026-03-31,demo-state,county=0,,,,primary,L-17,1,2026-04-01T00:00:00Z\r\n";
    assert!(csv.contains(expected), "{csv}");

    let reports = measure_reports(&rows, &indicators(), "https://example.org", "Demo County");
    let group = &reports[0]["group"][0];
    assert_eq!(group["population"][0]["count"], 244);
    let stratum = &group["stratifier"][0]["stratum"][0];
    assert_eq!(
        stratum["population"][0]["_count"]["extension"][0]["valueCode"],
        "masked"
    );
    assert!(stratum["population"][0].get("count").is_none());
}

#[test]
fn a_table_with_four_strata_or_a_short_period_is_not_public() {
    let stratum = ["a", "b", "c", "d"]
        .into_iter()
        .fold(Stratum::whole(), |stratum, name| stratum.with(name, "x"));
    assert!(check_limits(&[row("RF-1", stratum, 1, None)]).is_err());
    let mut short = row("RF-1", Stratum::whole(), 1, None);
    assert_eq!(check_limits(std::slice::from_ref(&short)), Ok(()));
    short.period = Period::new(date(2026, 1, 1), date(2026, 1, 31)).unwrap();
    assert!(check_limits(&[short]).is_err());
    assert_eq!(
        (age_group(89), age_group(90), age_group(104)),
        ("65-89", "90+", "90+")
    );
}

/// Every cell that takes more than one value over all tables a reader could think of, found by trying
/// them all. Written against the definition, not against the search.
fn ambiguous_by_force(release: &Release, threshold: u64) -> Vec<bool> {
    let is_total = |index: usize| release.sums.iter().any(|sum| sum.total == index);
    let inner: Vec<usize> = (0..release.cells.len())
        .filter(|&index| !is_total(index) && release.cells[index].is_masked())
        .collect();
    let all: u64 = inner.iter().map(|&index| release.cells[index].count).sum();
    let force = Force {
        release,
        inner,
        threshold,
        ceiling: all.max(threshold) + 2,
    };
    let mut seen = vec![std::collections::BTreeSet::new(); release.cells.len()];
    let mut values = release.cells.iter().map(|cell| cell.count).collect();
    force.walk(0, &mut values, &mut seen);
    seen.iter().map(|values| values.len() > 1).collect()
}

struct Force<'a> {
    release: &'a Release,
    inner: Vec<usize>,
    threshold: u64,
    ceiling: u64,
}

impl Force<'_> {
    fn range(&self, index: usize) -> std::ops::Range<u64> {
        let cell = &self.release.cells[index];
        match cell.suppression {
            Suppression::None => cell.count..cell.count + 1,
            Suppression::Primary => 1..self.threshold,
            _ => self.threshold..u64::MAX,
        }
    }

    fn walk(
        &self,
        depth: usize,
        values: &mut Vec<u64>,
        seen: &mut [std::collections::BTreeSet<u64>],
    ) {
        let Some(&index) = self.inner.get(depth) else {
            return self.weigh(values, seen);
        };
        let range = self.range(index);
        for value in range.start..range.end.min(self.ceiling) {
            values[index] = value;
            self.walk(depth + 1, values, seen);
        }
    }

    /// Computes the totals, the narrowest first, and keeps what fits the marks.
    fn weigh(&self, values: &mut [u64], seen: &mut [std::collections::BTreeSet<u64>]) {
        let mut sums: Vec<&Sum> = self.release.sums.iter().collect();
        sums.sort_by_key(|sum| 9 - self.release.cells[sum.total].key.stratum.len());
        let mut known = std::collections::BTreeMap::new();
        for sum in sums {
            let total: u64 = sum.parts.iter().map(|&part| values[part]).sum();
            let agrees = *known.entry(sum.total).or_insert(total) == total;
            if !agrees || !self.range(sum.total).contains(&total) {
                return;
            }
            values[sum.total] = total;
        }
        for (slot, &value) in seen.iter_mut().zip(values.iter()) {
            slot.insert(value);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_checker_agrees_with_trying_every_table(
        counts in proptest::collection::vec(0_u64..6, 3..=4),
        chosen in proptest::collection::vec(proptest::bool::ANY, 5),
    ) {
        let threshold = 4;
        let mut release = line(&counts);
        for (cell, is_chosen) in release.cells.iter_mut().zip(chosen) {
            if is_chosen && cell.count > 0 {
                cell.suppression = if cell.count < threshold { P } else { C };
            }
        }
        let ambiguous = ambiguous_by_force(&release, threshold);
        let derivable: Vec<usize> = audit(&release, threshold, &[])
            .err().unwrap_or_default().iter().map(|known| known.cell).collect();
        for (index, cell) in release.cells.iter().enumerate().filter(|(_, cell)| cell.is_masked()) {
            prop_assert_eq!(derivable.contains(&index), !ambiguous[index], "{:?}", cell.count);
        }
    }

    #[test]
    fn no_protected_table_gives_a_masked_cell_away(
        counts in proptest::collection::vec(proptest::collection::vec(0_u64..6, 2), 2)
    ) {
        let (threshold, parameters) = (3, Parameters { threshold: 3, ..Parameters::default() });
        if let Ok(release) = protect(grid(&counts), parameters, &[]) {
            let ambiguous = ambiguous_by_force(&release, threshold);
            for (index, cell) in release.cells.iter().enumerate() {
                prop_assert!(!cell.is_masked() || ambiguous[index], "{:?}", cell.key);
                prop_assert!(cell.is_masked() || !(1..threshold).contains(&cell.count));
            }
        }
    }

    #[test]
    fn protecting_never_hangs_or_shows_a_small_count(
        counts in proptest::collection::vec(proptest::collection::vec(0_u64..60, 4), 1..5)
    ) {
        if let Ok(release) = protect(grid(&counts), Parameters::default(), &[]) {
            let is_fine = |cell: &Cell| cell.is_masked() || !(1..11).contains(&cell.count);
            prop_assert!(release.cells.iter().all(is_fine));
            prop_assert_eq!(audit(&release, 11, &[]), Ok(()));
        }
    }
}
