//! Bundles that differ from the built-in rules in one place.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tandem_consent::Bundle;
use tandem_prover::{Against, Counterexample, Cvc5, Outcome, Proof, Wanted, properties, prove};
use tempfile::TempDir;

/// A copy of the built-in rules, to be changed.
pub(crate) struct Copy(pub(crate) TempDir);

impl Copy {
    pub(crate) fn new() -> Self {
        let copy = tempfile::tempdir().unwrap();
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../regimes");
        copy_folder(&rules, copy.path());
        Self(copy)
    }

    /// Replaces a piece of a rule's text, which must be there.
    pub(crate) fn replace(self, rule: &str, old: &str, new: &str) -> Self {
        let file = self.0.path().join(format!("{rule}.cedar"));
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(old), "{rule} no longer says {old}");
        fs::write(&file, text.replace(old, new)).unwrap();
        self
    }

    /// Takes a rule out.
    pub(crate) fn remove(self, rule: &str) -> Self {
        fs::remove_file(self.0.path().join(format!("{rule}.cedar"))).unwrap();
        self
    }

    pub(crate) fn load(&self) -> Bundle {
        Bundle::load(self.0.path()).unwrap()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = entry
            .map(|one| (one.path(), to.join(one.file_name())))
            .unwrap();
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

pub(crate) fn cvc5() -> Cvc5 {
    Cvc5::find(None, Duration::from_secs(60)).unwrap()
}

pub(crate) fn proof(
    bundle: &Bundle,
    property: &str,
    regime: &str,
    against: Option<Against>,
) -> Proof {
    let wanted = Wanted {
        properties: properties()
            .iter()
            .filter(|one| one.id == property)
            .collect(),
        regime: Some(regime.to_owned()),
        against,
    };
    prove(bundle, &wanted, &cvc5())
}

/// The counterexamples of a proof that must fail.
pub(crate) fn refuted(proof: &Proof) -> Vec<&Counterexample> {
    let mut found = Vec::new();
    for finding in &proof.findings {
        match &finding.outcome {
            Outcome::Failed(examples) => found.extend(examples),
            Outcome::Proven => {}
            Outcome::NotDecided(reason) => panic!("not decided: {reason}"),
        }
    }
    assert!(!found.is_empty(), "nothing was found");
    found
}
