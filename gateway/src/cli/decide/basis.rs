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

/// The rules alone: those of a folder, else of the configuration, else the built-in ones of a jurisdiction.
pub(in super::super) fn rules(
    bundle: Option<&Path>,
    config: Option<&Path>,
    jurisdiction: &str,
) -> Result<Bundle, Failure> {
    if let Some(folder) = bundle {
        return Bundle::load(folder).map_err(unusable);
    }
    match configuration(config)? {
        Some(loaded) => Ok(serve::bundle(&loaded.config)?),
        None => Ok(Bundle::default_for(jurisdiction).context("loading the built-in rules")?),
    }
}

fn unusable(error: BundleError) -> Failure {
    match error {
        BundleError::Unreadable { .. } => Failure::CouldNotRun(error.into()),
        other => Failure::Usage(other.to_string()),
    }
}

/// The configuration that is named, or stands in its usual place.
pub(in super::super) fn configuration(named: Option<&Path>) -> Result<Option<Loaded>, Failure> {
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

/// Reads directives, one or an array, each in the gateway's own form or as a FHIR R4 Consent, which may be several.
pub(in super::super) fn directives(file: &Path) -> Result<Vec<Directive>, Failure> {
    let text = read_text(file)?;
    let value: Value = parse(&text).map_err(|problem| usage(file, problem))?;
    let elements = match value {
        Value::Array(elements) => elements,
        one @ Value::Object(_) => vec![one],
        _ => return Err(usage(file, "expected a JSON array of directives")),
    };
    let mut read = Vec::new();
    for (position, element) in elements.iter().enumerate() {
        let found = directives_of(element)
            .map_err(|problem| usage(file, format!("directive {position}: {problem}")))?;
        read.extend(found);
    }
    Ok(read)
}

/// The directives that one element says.
fn directives_of(element: &Value) -> Result<Vec<Directive>, String> {
    if element.get("resourceType").is_some() {
        return Directive::from_fhir(element).map_err(|error| error.to_string());
    }
    // Line and column are those of the element alone; the path is what helps.
    parse(&element.to_string()).map(|one| vec![one])
}
