//! The adapters, set up for each configured system.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::FormatReader;
use tandem_adapter_port::write::FormatWriter;
use tandem_calworks::config::Config as CalworksConfig;
use tandem_child_welfare::{Config as ChildWelfareConfig, CwsCmsReader, NiemReader, NiemWriter};
use tandem_fhir::config::FhirConfig;
use tandem_fhir::county::CodeTables;
use tandem_fhir::read::FhirReader;
use tandem_hmis::config::HmisConfig;
use tandem_hmis::{HmisReader, HmisWriter};
use tandem_mappings::model::id::{OrganizationId, SystemId};

use crate::config::{CodeTableFiles, Config, SystemConfig};

/// An adapter can't be set up.
#[derive(Debug, thiserror::Error)]
#[error("systems.{system}: {problem}")]
pub struct AdapterError {
    /// The system.
    pub system: String,
    /// Why.
    pub problem: String,
}

/// Readers and writers by system.
pub struct Adapters {
    readers: HashMap<(SystemId, Format), Arc<dyn FormatReader>>,
    writers: HashMap<SystemId, Arc<dyn FormatWriter>>,
    fhir: BTreeMap<SystemId, FhirConfig>,
}

impl std::fmt::Debug for Adapters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Adapters({} readers, {} writers)",
            self.readers.len(),
            self.writers.len()
        )
    }
}

impl Adapters {
    /// Sets up the adapters of a configuration.
    ///
    /// # Errors
    /// When an adapter's settings or tables are not usable.
    pub fn new(config: &Config) -> Result<Self, AdapterError> {
        let mut adapters = Self {
            readers: HashMap::new(),
            writers: HashMap::new(),
            fhir: BTreeMap::new(),
        };
        for (id, system) in &config.systems {
            for reader in readers(id, system, config)? {
                adapters
                    .readers
                    .insert((id.clone(), reader.format()), reader);
            }
            if let Some(writer) = writer(id, system)? {
                adapters.writers.insert(id.clone(), writer);
            }
            if let Some(fhir) = fhir_config(id, system, config)? {
                adapters.fhir.insert(id.clone(), fhir);
            }
        }
        Ok(adapters)
    }

    /// The reader of a format for a system.
    #[must_use]
    pub fn reader(&self, system: &SystemId, format: Format) -> Option<Arc<dyn FormatReader>> {
        self.readers.get(&(system.clone(), format)).cloned()
    }

    /// The writer for a system.
    #[must_use]
    pub fn writer(&self, system: &SystemId) -> Option<Arc<dyn FormatWriter>> {
        self.writers.get(system).cloned()
    }

    /// The FHIR settings of a system that is a FHIR server.
    #[must_use]
    pub fn fhir(&self, system: &SystemId) -> Option<&FhirConfig> {
        self.fhir.get(system)
    }
}

fn problem(system: &SystemId) -> impl Fn(String) -> AdapterError {
    let system = system.to_string();
    move |problem| AdapterError {
        system: system.clone(),
        problem,
    }
}

fn readers(
    id: &SystemId,
    system: &SystemConfig,
    config: &Config,
) -> Result<Vec<Arc<dyn FormatReader>>, AdapterError> {
    let fail = problem(id);
    let mut readers: Vec<Arc<dyn FormatReader>> = Vec::new();
    let load = |file: &str| std::fs::read_to_string(file).map_err(|error| error.to_string());
    let calworks = system
        .calworks
        .readers(load)
        .map_err(|error| fail(error.to_string()))?;
    readers.extend(calworks.into_iter().map(Arc::from));
    let child_welfare = &system.child_welfare;
    readers.push(Arc::new(
        CwsCmsReader::new(child_welfare.clone()).map_err(|error| fail(error.to_string()))?,
    ));
    readers.push(Arc::new(
        NiemReader::new(child_welfare.clone()).map_err(|error| fail(error.to_string()))?,
    ));
    readers.push(Arc::new(HmisReader::new(system.hmis.read.clone())));
    let fhir = match fhir_config(id, system, config)? {
        Some(fhir) => fhir,
        None => FhirConfig::offline(id.clone(), system.organization.clone())
            .map_err(|error| fail(error.to_string()))?,
    };
    readers.push(Arc::new(FhirReader::new(fhir)));
    Ok(readers)
}

fn writer(
    id: &SystemId,
    system: &SystemConfig,
) -> Result<Option<Arc<dyn FormatWriter>>, AdapterError> {
    let fail = problem(id);
    let Some(output) = &system.output else {
        return Ok(None);
    };
    let format: Format = output
        .parse()
        .map_err(|error: tandem_adapter_port::format::UnknownFormat| fail(error.to_string()))?;
    let writer: Arc<dyn FormatWriter> = match format {
        Format::Linkages => Arc::from(
            system
                .calworks
                .writer()
                .map_err(|error| fail(error.to_string()))?,
        ),
        Format::Niem => Arc::new(
            NiemWriter::new(system.child_welfare.clone())
                .map_err(|error| fail(error.to_string()))?,
        ),
        Format::HmisCsv => Arc::new(
            HmisWriter::new(system.hmis.write.clone(), None)
                .map_err(|error| fail(error.to_string()))?,
        ),
        Format::FhirBundle if system.fhir.is_some() => return Ok(None),
        _ => {
            return Err(fail(format!(
                "output: {output} is only read, never written"
            )));
        }
    };
    Ok(Some(writer))
}

fn fhir_config(
    id: &SystemId,
    system: &SystemConfig,
    config: &Config,
) -> Result<Option<FhirConfig>, AdapterError> {
    let fail = problem(id);
    let Some(server) = &system.fhir else {
        return Ok(None);
    };
    let organization = |text: &str| -> Result<OrganizationId, AdapterError> {
        text.parse()
            .map_err(|error: tandem_mappings::model::id::IdError| fail(error.to_string()))
    };
    let own = config
        .public_url
        .join("fhir")
        .map_err(|error| fail(error.to_string()))?;
    let ids = config
        .public_url
        .join("id")
        .map_err(|error| fail(error.to_string()))?;
    let mut fhir = FhirConfig::offline(id.clone(), organization(tandem_consent::GATEWAY)?)
        .map_err(|error| fail(error.to_string()))?;
    fhir.base = server.base.clone();
    fhir.own_base = own;
    fhir.identifier_root = ids;
    fhir.gateway_name = format!("Tandem gateway of {}", config.jurisdiction);
    fhir.organizations.clone_from(&server.organizations);
    fhir.identifier_systems.clone_from(&server.identifiers);
    fhir.page_size = server.page_size;
    fhir.create_patients = server.create_patients;
    fhir.codes = Arc::new(code_tables(&server.tables).map_err(&fail)?);
    let problems = fhir.problems();
    if problems.is_empty() {
        Ok(Some(fhir))
    } else {
        Err(fail(problems.join("; ")))
    }
}

/// The county's code tables over the shipped ones.
fn code_tables(files: &CodeTableFiles) -> Result<CodeTables, String> {
    let mut tables = CodeTables::default();
    for (kind, path) in files.given() {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
        tables
            .lay_over(kind, &name, &bytes)
            .map_err(|error| error.to_string())?;
    }
    Ok(tables)
}

/// A reader with default settings, for reading a file outside any deployment.
///
/// # Errors
/// When a built-in table is not sound.
pub fn offline_reader(
    format: Format,
    system: &SystemId,
    organization: &OrganizationId,
) -> Result<Box<dyn FormatReader>, AdapterError> {
    let fail = problem(system);
    Ok(match format {
        Format::Acf199 | Format::Caseload | Format::Linkages => {
            let no_files = |file: &str| Err(format!("{file} is not read offline"));
            let readers = CalworksConfig::offline()
                .readers(no_files)
                .map_err(|error| fail(error.to_string()))?;
            let found = readers.into_iter().find(|reader| reader.format() == format);
            found.ok_or_else(|| fail(format!("no reader of {format}")))?
        }
        Format::CwsCms => Box::new(
            CwsCmsReader::new(ChildWelfareConfig::default())
                .map_err(|error| fail(error.to_string()))?,
        ),
        Format::Niem => Box::new(
            NiemReader::new(ChildWelfareConfig::default())
                .map_err(|error| fail(error.to_string()))?,
        ),
        Format::HmisCsv => Box::new(HmisReader::new(HmisConfig::default().read)),
        Format::FhirBundle => {
            let config = FhirConfig::offline(system.clone(), organization.clone())
                .map_err(|error| fail(error.to_string()))?;
            Box::new(FhirReader::new(config))
        }
        other => return Err(fail(format!("no reader of {other}"))),
    })
}
