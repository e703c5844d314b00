//! From files to a checked bundle.

use std::collections::BTreeMap;

use cedar_policy::{Schema, ValidationMode, Validator};
use serde::de::DeserializeOwned;

use super::Bundle;
use super::county::{self, COUNTY_FILE, County, Rules};
use super::coverage::Coverage;
use super::elements::ElementLists;
use super::error::BundleError;
use super::files::Files;
use super::law::{LAW_NOTES_FILE, LAWS_FILE, Laws};
use super::regime::{Regime, RegimeFile};
use super::rule::Rule;
use super::switch::{self, SWITCHES_FILE};
use super::version::Versions;
use crate::example::RuleExamples;

const SCHEMA_FILE: &str = "schema.cedarschema";
const COVERAGE_FILE: &str = "coverage.toml";
const ELEMENTS_FILE: &str = "elements.toml";
/// The world of the examples.
const WORLD_FILE: &str = "world.toml";

/// Parses and checks everything.
pub(super) fn build(files: &Files) -> Result<Bundle, BundleError> {
    let schema = Schema::from_cedarschema_str(text(files, SCHEMA_FILE)?)
        .map_err(|error| BundleError::malformed(SCHEMA_FILE, error.to_string()))?
        .0;
    let coverage: Coverage = parse(COVERAGE_FILE, text(files, COVERAGE_FILE)?)?;
    let mut elements: ElementLists = parse(ELEMENTS_FILE, text(files, ELEMENTS_FILE)?)?;
    let mut parts = Parts::read(files)?;
    let county = county_layer(files, &mut parts)?;
    let Parts {
        heads,
        mut rules,
        examples,
    } = parts;
    let law = county.as_ref().map(|county| county.law.clone());
    let switches = parse_or_none(files, SWITCHES_FILE)?;
    let (switches, mut off) = switch::apply(
        switches,
        &law.unwrap_or_default(),
        &mut rules,
        &mut elements,
    )?;
    if let Some(county) = &county {
        off.extend(county.switch_off(&mut rules)?);
    }
    if let Some(trust) = county
        .as_ref()
        .and_then(|county| county.trust_unlisted_forms)
    {
        elements.trust_unlisted_forms = trust;
    }
    let zone = match &county {
        Some(county) => county::zone(COUNTY_FILE, &county.zone)?,
        None => county::zone(COVERAGE_FILE, &coverage.zone)?,
    };
    let mut regimes = BTreeMap::new();
    let validator = Validator::new(schema.clone());
    for (name, head) in heads {
        let rules = rules.remove(&name).unwrap_or_default();
        regimes.insert(name.clone(), regime(name, head, rules, &validator)?);
    }
    check_names(&coverage, &elements, &regimes)?;
    let rules = regimes.values().flat_map(|regime| regime.rules.values());
    let ages = rules.flat_map(Rule::ages).collect();
    let table = files.base.get(LAWS_FILE).map_or("", String::as_str);
    let laws = Laws::read(table, parse_or_none(files, LAW_NOTES_FILE)?)?;
    let world = parse_or_none(files, WORLD_FILE)?;
    let rules = regimes.values().flat_map(|regime| regime.rules.values());
    let superseded = rules.filter_map(|rule| rule.supersedes.clone()).collect();
    Ok(Bundle {
        files: files.clone(),
        off,
        superseded,
        switches,
        laws,
        world,
        examples,
        hash: files.hash(),
        jurisdiction: county.map(|county| county.jurisdiction),
        zone,
        schema,
        coverage,
        elements,
        regimes,
        ages,
    })
}

fn text<'a>(files: &'a Files, name: &str) -> Result<&'a str, BundleError> {
    let found = files.base.get(name).map(String::as_str);
    found.ok_or_else(|| BundleError::Absent(name.to_owned()))
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, BundleError> {
    toml::from_str(text).map_err(|error| BundleError::malformed(file, error.message()))
}

/// A file that bundles of earlier days do not have. They load, so that what was decided by them can be
/// decided again; that table and examples are there is for [`crate::law_coverage`] and
/// [`crate::test_bundle`] to say.
fn parse_or_none<T: DeserializeOwned + Default>(
    files: &Files,
    name: &str,
) -> Result<T, BundleError> {
    let found = files.base.get(name);
    found.map_or_else(|| Ok(T::default()), |text| parse(name, text))
}

/// What the regime folders hold.
#[derive(Default)]
struct Parts {
    heads: BTreeMap<String, RegimeFile>,
    rules: Rules,
    examples: BTreeMap<String, RuleExamples>,
}

impl Parts {
    fn read(files: &Files) -> Result<Self, BundleError> {
        let mut parts = Self::default();
        for (path, text) in &files.base {
            match path.split('/').collect::<Vec<_>>().as_slice() {
                [
                    SCHEMA_FILE | COVERAGE_FILE | ELEMENTS_FILE | SWITCHES_FILE | WORLD_FILE
                    | LAWS_FILE | LAW_NOTES_FILE,
                ] => {}
                [regime, "regime.toml"] => {
                    let head = parse::<RegimeFile>(path, text)?;
                    parts.heads.insert((*regime).to_owned(), head);
                }
                [_, "examples", name] => parts.add_examples(path, name, text)?,
                [regime, name] if name.ends_with(".cedar") => {
                    let rule = Rule::parse(path, regime, text)?;
                    let own = parts.rules.entry((*regime).to_owned()).or_default();
                    own.insert(rule.id.clone(), rule);
                }
                _ => return Err(BundleError::Unexpected(path.clone())),
            }
        }
        let headless = |regime: &&String| !parts.heads.contains_key(*regime);
        if let Some(regime) = parts.rules.keys().find(headless) {
            return Err(BundleError::Absent(format!("{regime}/regime.toml")));
        }
        if let Some(id) = double_id(&parts.rules) {
            return Err(BundleError::malformed(
                &id,
                "the rule id is used in two regimes",
            ));
        }
        Ok(parts)
    }

    fn add_examples(&mut self, path: &str, name: &str, text: &str) -> Result<(), BundleError> {
        let Some(rule) = name.strip_suffix(".toml") else {
            return Err(BundleError::Unexpected(path.to_owned()));
        };
        let examples: RuleExamples = parse(path, text)?;
        if self.examples.insert(rule.to_owned(), examples).is_some() {
            let reason = format!("the rule {rule} has examples already");
            return Err(BundleError::malformed(path, reason));
        }
        Ok(())
    }
}

fn double_id(rules: &Rules) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    rules
        .values()
        .flat_map(BTreeMap::keys)
        .find(|id| !seen.insert(*id))
        .cloned()
}

fn county_layer(files: &Files, parts: &mut Parts) -> Result<Option<County>, BundleError> {
    let mut county: Option<County> = None;
    for (path, text) in &files.county {
        match path.split('/').collect::<Vec<_>>().as_slice() {
            [COUNTY_FILE] => county = Some(parse(path, text)?),
            ["regimes", regime, name] if name.ends_with(".cedar") => {
                county::add_rule(path, Rule::parse(path, regime, text)?, &mut parts.rules)?;
            }
            ["regimes", _, "examples", name] => parts.add_examples(path, name, text)?,
            _ => return Err(BundleError::Unexpected(path.clone())),
        }
    }
    if county.is_none() && !files.county.is_empty() {
        return Err(BundleError::Absent(COUNTY_FILE.to_owned()));
    }
    Ok(county)
}

fn regime(
    name: String,
    head: RegimeFile,
    rules: BTreeMap<String, Rule>,
    validator: &Validator,
) -> Result<Regime, BundleError> {
    let invalid = |reason: String| BundleError::Invalid {
        regime: name.clone(),
        reason,
    };
    let versions = Versions::new(&rules).map_err(|error| invalid(error.to_string()))?;
    for set in versions.all() {
        for policies in [&set.decisive, &set.obligations] {
            let result = validator.validate(policies, ValidationMode::Strict);
            // A warning means a rule that can never apply or text that deceives its reader.
            if !result.validation_passed_without_warnings() {
                return Err(invalid(result.to_string()));
            }
        }
    }
    Ok(Regime {
        name_en: head.name_en,
        name_es: head.name_es,
        is_federal: head.jurisdiction == "US",
        refusal: head.refusal,
        defaults: head.defaults,
        name,
        rules,
        versions,
    })
}

/// Every table must speak of regimes that exist, and of every category.
fn check_names(
    coverage: &Coverage,
    elements: &ElementLists,
    regimes: &BTreeMap<String, Regime>,
) -> Result<(), BundleError> {
    let unknown = |name: &&str| !regimes.contains_key(*name);
    if let Some(name) = coverage.named().into_iter().find(|name| unknown(name)) {
        return Err(BundleError::malformed(
            COVERAGE_FILE,
            format!("unknown regime {name}"),
        ));
    }
    if let Some(category) = coverage.forgotten() {
        let reason = format!("the category {category} is not covered");
        return Err(BundleError::malformed(COVERAGE_FILE, reason));
    }
    if !elements.has_default() {
        return Err(BundleError::malformed(
            ELEMENTS_FILE,
            "the default list is empty",
        ));
    }
    if let Some(name) = elements.named().find(unknown) {
        return Err(BundleError::malformed(
            ELEMENTS_FILE,
            format!("unknown regime {name}"),
        ));
    }
    for rule in regimes.values().flat_map(|regime| regime.rules.values()) {
        for lifted in &rule.lifts {
            // A state rule that names a federal regime would claim what it cannot do.
            if regimes.get(lifted).is_none_or(|regime| regime.is_federal) {
                let reason = format!("lifts {lifted}, which is not a state regime");
                return Err(BundleError::malformed(&rule.id, reason));
            }
        }
    }
    Ok(())
}
