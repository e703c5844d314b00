//! `tandem labels explain`: the category and labels of codes from a source, with the rows that say so.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tandem_mappings::labels::{Claim, Hit, LabelSource, LabelTables, Labelled, label};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::coding::Coding;
use tandem_mappings::model::id::{OrganizationId, ProgramId};

use super::super::exit::{Exit, Failure};
use super::super::output::{print, print_json};
use super::super::table::TextTable;
use crate::config::Loaded;

/// Say which category and labels data of a source with these codes get, and which table row or fact calls for each
///
/// A code is SYSTEM|CODE, where SYSTEM is a URI or a short name (icd10cm, loinc, snomed, hl7, hmis, calworks). A bare CODE
/// is looked up in every table, as for a sender that forgot the system. The gateway does the same with whatever a
/// system sends, before it is stored: docs/LABELS.md.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem labels explain --config gateway.toml --source org-clinic 'icd10cm|F11.20' 'loinc|56888-1'
  tandem labels explain --config gateway.toml --source org-hmis --program prog-shelter 'hmis|2.06.1:15' --json
  tandem labels explain --default-category HEALTH_GENERAL F11.20

Exit codes: 0 done, 1 nothing of this source enters (a victim service provider), 2 wrong usage, 3 the configuration
can't be read")]
pub(in super::super) struct ExplainArgs {
    /// Who holds the data: an organisation of the configuration's registry
    #[arg(
        long,
        value_name = "ORG",
        requires = "config",
        required_unless_present = "default_category"
    )]
    source: Option<OrganizationId>,
    /// The programme of the organisation that holds them
    #[arg(long, value_name = "PROGRAM", requires = "source")]
    program: Option<ProgramId>,
    /// The configuration whose registry knows the organisation
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Without a source: what it sends by default
    #[arg(long, value_name = "CATEGORY", conflicts_with = "source")]
    default_category: Option<Category>,
    /// The category that the sender itself gives
    #[arg(long, value_name = "CATEGORY")]
    category: Option<Category>,
    /// A label that the sender itself gives; may be repeated
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// The data hold a note in free text
    #[arg(long)]
    free_text: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The codes
    #[arg(value_name = "CODE")]
    codes: Vec<String>,
}

/// What one code calls for.
#[derive(Debug, Serialize)]
struct CodeLine {
    code: String,
    /// `listed`, `unlisted`, `unknown-system` or `unreadable`.
    found: &'static str,
    row: Option<String>,
    category: Option<&'static str>,
    labels: Vec<String>,
    meaning: Option<String>,
    source: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    category: &'static str,
    labels: Vec<String>,
    why: Vec<String>,
    default_category: &'static str,
    part2_program: bool,
    codes: Vec<CodeLine>,
}

impl ExplainArgs {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let tables = super::tables(self.config.as_deref())?;
        let source = self.facts()?;
        let codes: Vec<Coding> = self.codes.iter().map(|text| coding(text)).collect();
        let claim = Claim {
            category: self.category,
            labels: self.labels.iter().cloned().collect(),
            is_identity: false,
            has_free_text: self.free_text,
        };
        let found = label(&tables, source, &claim, &codes);
        let lines = codes.iter().flat_map(|code| lines(&tables, code)).collect();
        let answer = answer(source, found, lines);
        if self.json {
            print_json(&answer)?;
        } else {
            print(&for_people(&answer))?;
        }
        Ok(Exit::Yes)
    }

    fn facts(&self) -> Result<LabelSource, Failure> {
        let (Some(id), Some(config)) = (&self.source, &self.config) else {
            let default_category = self.default_category.unwrap_or(Category::HealthGeneral);
            return Ok(LabelSource {
                default_category,
                is_part2: default_category == Category::SudPart2,
                free_text_category: None,
            });
        };
        let loaded = Loaded::from_file(config).context("reading the configuration")?;
        let registry = &loaded.registry;
        let Some(organization) = registry.organization(id) else {
            return Err(Failure::Usage(format!(
                "--source: the registry has no {id}"
            )));
        };
        if organization.facts.victim_service_provider != Some(false) {
            let text = format!("{id} is a victim service provider: nothing of it enters");
            return Err(Failure::Refused(text));
        }
        let program = match &self.program {
            Some(program) => Some(
                registry
                    .program(program)
                    .filter(|known| known.organization == *id)
                    .ok_or_else(|| Failure::Usage(format!("--program: {id} has no {program}")))?,
            ),
            None => None,
        };
        let system = registry.systems_of(id).next();
        let only = system.and_then(|system| registry.program(system.program.as_ref()?));
        Ok(LabelSource::of(
            Some(organization),
            system,
            program.or(only),
        ))
    }
}

/// `SYSTEM|CODE`, or a code alone.
fn coding(text: &str) -> Coding {
    let (system, code) = text.rsplit_once('|').unwrap_or(("", text));
    Coding::new(system, code)
}

fn lines(tables: &LabelTables, coding: &Coding) -> Vec<CodeLine> {
    let code = match coding.system.as_str() {
        "" => coding.code.clone(),
        system => format!("{system}|{}", coding.code),
    };
    let nothing = |found| CodeLine {
        code: code.clone(),
        found,
        row: None,
        category: None,
        labels: Vec::new(),
        meaning: None,
        source: None,
    };
    match tables.find(coding) {
        Hit::Rows(rows) => rows
            .into_iter()
            .map(|row| CodeLine {
                row: Some(row.id.clone()),
                category: row.category.map(Category::as_str),
                labels: row.labels.iter().cloned().collect(),
                meaning: Some(row.meaning.clone()),
                source: Some(row.source.clone()),
                ..nothing("listed")
            })
            .collect(),
        Hit::Unlisted => vec![nothing("unlisted")],
        Hit::UnknownSystem => vec![nothing("unknown-system")],
        Hit::Unreadable(_) => vec![nothing("unreadable")],
    }
}

fn answer(source: LabelSource, found: Labelled, codes: Vec<CodeLine>) -> Answer {
    Answer {
        category: found.category.as_str(),
        labels: found.labels.into_iter().collect(),
        why: found.why.into_iter().collect(),
        default_category: source.default_category.as_str(),
        part2_program: source.is_part2,
        codes,
    }
}

fn for_people(answer: &Answer) -> String {
    let or_none = |texts: &[String]| match texts {
        [] => "none".to_owned(),
        texts => texts.join(" "),
    };
    let mut lines = vec![
        format!("category  {}", answer.category),
        format!("labels    {}", or_none(&answer.labels)),
        format!("because   {}", or_none(&answer.why)),
        format!("default   {}", answer.default_category),
    ];
    if !answer.codes.is_empty() {
        let mut table = TextTable::new(["code", "row", "category", "labels", "meaning", "source"]);
        for code in &answer.codes {
            table.row([
                code.code.clone(),
                code.row.clone().unwrap_or_else(|| code.found.to_owned()),
                code.category.unwrap_or("-").to_owned(),
                code.labels.join(" "),
                code.meaning.clone().unwrap_or_default(),
                code.source.clone().unwrap_or_default(),
            ]);
        }
        lines.push(String::new());
        lines.extend(table.lines(""));
    }
    lines.join("\n")
}
