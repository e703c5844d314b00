//! What a decision rests on: facts, directives and rules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use tandem_consent::{Bundle, BundleError, Facts};
use tandem_mappings::model::directive::Directive;
use tandem_mappings::registry::Registry;

use super::super::exit::Failure;
use super::super::json_input::{parse, read_json, read_text, usage};
use super::super::output::tell;
use super::DecideArgs;
use crate::config::{Loaded, example};
use crate::serve;

/// Where a configuration is looked for when none is named.
const USUAL_CONFIG: &str = "gateway.toml";

/// Facts and rules: the named files, else those of the configuration, else the built-in example's.
pub(super) fn facts_and_bundle(
    args: &DecideArgs,
    jurisdiction: &str,
) -> Result<(Facts, Bundle), Failure> {
    let needs_config = args.facts.is_none() || args.bundle.is_none();
    let loaded = if needs_config {
        configuration(args.config.as_deref())?
    } else {
        None
    };
    let facts = match (&args.facts, &loaded) {
        (Some(file), _) => read_json(file)?,
        (None, Some(loaded)) => Facts::from_registry(&loaded.registry),
        (None, None) => {
            tell("facts: the built-in demo registry (no --facts, no --config, no ./gateway.toml)");
            Facts::from_registry(&demo_registry()?)
        }
    };
    let bundle = match (&args.bundle, &loaded) {
        (Some(folder), _) => Bundle::load(folder).map_err(unusable)?,
        (None, Some(loaded)) => serve::bundle(&loaded.config)?,
        (None, None) => Bundle::default_for(jurisdiction).context("loading the built-in rules")?,
    };
    Ok((facts, bundle))
}

fn unusable(error: BundleError) -> Failure {
    match error {
        BundleError::Unreadable { .. } => Failure::CouldNotRun(error.into()),
        other => Failure::Usage(other.to_string()),
    }
}

fn configuration(named: Option<&Path>) -> Result<Option<Loaded>, Failure> {
    let usual = PathBuf::from(USUAL_CONFIG);
    let file = match named {
        Some(file) => file,
        None if usual.is_file() => {
            tell("configuration: ./gateway.toml");
            &usual
        }
        None => return Ok(None),
    };
    Ok(Some(
        Loaded::from_file(file).context("loading the configuration")?,
    ))
}

fn demo_registry() -> Result<Registry, Failure> {
    let files: BTreeMap<String, String> = example::FILES
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix("registry/")?, *text)))
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    Ok(Registry::from_files(&files).context("loading the built-in registry")?)
}

/// Reads directives, each in the gateway's own form or as a FHIR R4 Consent, which may be several.
pub(super) fn directives(file: &Path) -> Result<Vec<Directive>, Failure> {
    let text = read_text(file)?;
    let elements: Vec<Value> = parse(&text).map_err(|problem| usage(file, problem))?;
    let mut read = Vec::new();
    for (position, element) in elements.iter().enumerate() {
        let found = directives_of(element)
            .map_err(|problem| usage(file, format!("directive {position}: {problem}")))?;
        read.extend(found);
    }
    Ok(read)
}

/// The directives that one element says.
pub(in super::super) fn directives_of(element: &Value) -> Result<Vec<Directive>, String> {
    if element.get("resourceType").is_some() {
        return Directive::from_fhir(element).map_err(|error| error.to_string());
    }
    // Line and column are those of the element alone; the path is what helps.
    parse(&element.to_string()).map(|one| vec![one])
}
