//! The rules write out the table of laws, and say so where they do not.

use std::fs;
use std::path::Path;

use tandem_consent::{Bundle, Standing, law_coverage};

use crate::world::copy;

fn bundle_with(change: impl Fn(&Path)) -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("regimes"),
        folder.path(),
    );
    change(folder.path());
    Bundle::load(folder.path()).unwrap()
}

fn replace(folder: &Path, file: &str, old: &str, new: &str) {
    let file = folder.join(file);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(old), "{}: {old}", file.display());
    fs::write(&file, text.replacen(old, new, 1)).unwrap();
}

#[test]
fn every_row_of_the_law_has_a_rule_or_a_reason_and_every_rule_a_row_or_a_reason() {
    for jurisdiction in ["somewhere", "demo-county"] {
        let coverage = law_coverage(&Bundle::default_for(jurisdiction).unwrap());
        assert!(coverage.gaps.is_empty(), "{}", coverage.gaps.join("\n"));
        assert_eq!(coverage.lines.len(), 143);
    }
}

#[test]
fn a_rule_that_is_gone_or_says_something_else_is_a_gap() {
    let gaps = |change: fn(&Path)| law_coverage(&bundle_with(change)).gaps.join("\n");
    let gone = gaps(|folder| {
        fs::remove_file(folder.join("lps/LPS-06.cedar")).unwrap();
        fs::remove_file(folder.join("lps/examples/LPS-06.toml")).unwrap();
    });
    assert_eq!(gone, "LPS-06: neither a rule nor a reason");
    let cited = gaps(|folder| {
        replace(
            folder,
            "lps/LPS-06.cedar",
            "@citation(\"WIC 5328 ",
            "@citation(\"WIC 5329 ",
        )
    });
    assert!(
        cited.starts_with("LPS-06: citation: the law says"),
        "{cited}"
    );
    let widened = gaps(|folder| {
        replace(
            folder,
            "lps/LPS-06.cedar",
            "[\"X_CHILD_SAFETY\"]",
            "[\"X_CHILD_SAFETY\", \"FRAUD\"]",
        )
    });
    assert!(widened.starts_with("LPS-06: purpose: "), "{widened}");
    let silent = gaps(|folder| replace(folder, "lps/LPS-06.cedar", "@notice(\"N_MDT\")\n", ""));
    assert!(silent.starts_with("LPS-06: notice: "), "{silent}");
    let stranger = gaps(|folder| replace(folder, "laws.toml", "LPS-10 = ", "LPS-11 = "));
    assert_eq!(
        stranger,
        "LPS-10: a rule of no row, and not the product's own\n\
         LPS-11: the product's own, and there is no such rule"
    );
    let idle = gaps(|folder| {
        replace(
            folder,
            "laws.toml",
            "[[differs]]",
            "[[differs]]\nrow = \"LPS-06\"\nfield = \"notice\"\nreason = \"none\"\n\n[[differs]]",
        );
    });
    assert_eq!(
        idle,
        "LPS-06: notice: a reason for a difference that is none"
    );
}

#[test]
fn a_rule_that_a_switch_takes_out_is_not_a_gap_but_is_shown_as_off() {
    let coverage = law_coverage(&Bundle::default_for("somewhere").unwrap());
    let line = coverage
        .lines
        .iter()
        .find(|line| line.row.rule_id == "P2-04")
        .unwrap();
    assert_eq!(
        line.standing,
        Standing::Off {
            file: "part2/P2-04.cedar".to_owned(),
            reason: "operator_status = \"service_organization\"".to_owned(),
        }
    );
}
