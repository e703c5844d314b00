//! The files that a run writes: all of them or none.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use tandem_matching::{LinkOutputs, Settings};

use crate::cli::exit::Failure;
use crate::cli::output_file::OutputFile;

use super::LinkArgs;

/// The files of a run while they are written.
#[derive(Debug)]
pub(super) struct Outputs {
    links: Option<OutputFile>,
    clusters: Option<OutputFile>,
    candidates: Option<OutputFile>,
    settings: Option<OutputFile>,
    page: Option<OutputFile>,
    fairness: Option<OutputFile>,
    households: Option<OutputFile>,
    /// Where a table goes that nobody asked for.
    nowhere: [io::Sink; 2],
}

/// Where each part of what is found goes.
pub(super) struct Parts<'a> {
    pub(super) tables: LinkOutputs<'a>,
    pub(super) page: Option<&'a mut dyn Write>,
    pub(super) fairness: Option<&'a mut dyn Write>,
    pub(super) households: Option<&'a mut dyn Write>,
}

impl Outputs {
    pub(super) fn create(args: &LinkArgs) -> Result<Self, Failure> {
        let create = |path: &Option<PathBuf>| path.as_deref().map(OutputFile::create).transpose();
        Ok(Self {
            links: create(&args.links)?,
            clusters: create(&args.clusters)?,
            candidates: create(&args.candidates)?,
            settings: create(&args.save_settings)?,
            page: create(&args.report)?,
            fairness: create(&args.fairness)?,
            households: create(&args.households)?,
            nowhere: [io::sink(), io::sink()],
        })
    }

    /// Where each part of what is found goes.
    pub(super) fn parts(&mut self) -> Parts<'_> {
        fn writer(file: &mut Option<OutputFile>) -> Option<&mut dyn Write> {
            file.as_mut().map(|file| file as &mut dyn Write)
        }
        let [no_links, no_clusters] = &mut self.nowhere;
        Parts {
            tables: LinkOutputs {
                links: writer(&mut self.links).unwrap_or(no_links),
                clusters: writer(&mut self.clusters).unwrap_or(no_clusters),
                candidates: writer(&mut self.candidates),
            },
            page: writer(&mut self.page),
            fairness: writer(&mut self.fairness),
            households: writer(&mut self.households),
        }
    }

    /// Completes every file.
    pub(super) fn finish(mut self, settings: Option<&Settings>) -> Result<(), Failure> {
        if let (Some(file), Some(settings)) = (&mut self.settings, settings) {
            let text = settings.to_toml().context("writing the settings")?;
            file.write_all(text.as_bytes())
                .context("writing the settings")?;
        }
        let files = [
            self.links,
            self.clusters,
            self.candidates,
            self.settings,
            self.page,
            self.fairness,
            self.households,
        ];
        files.into_iter().flatten().try_for_each(OutputFile::finish)
    }
}

/// No file is written twice, and none is written that is read.
pub(super) fn must_be_distinct(args: &LinkArgs) -> Result<(), Failure> {
    let named = [
        &args.links,
        &args.clusters,
        &args.candidates,
        &args.save_settings,
        &args.report,
        &args.fairness,
        &args.households,
    ];
    let outputs: Vec<&PathBuf> = named.into_iter().flatten().collect();
    let is_taken = |path: &PathBuf| outputs.iter().filter(|other| **other == path).count() > 1;
    if outputs.iter().any(|path| is_taken(path)) {
        return Err(Failure::Usage("two outputs have the same file".to_owned()));
    }
    let tables = args.tables.iter().chain(&args.encoded);
    let mut inputs = tables.map(|table| &table.file).chain(&args.key_file);
    match inputs.find(|input| outputs.contains(input)) {
        Some(input) => Err(Failure::Usage(format!(
            "{} is both read and written",
            input.display()
        ))),
        None => Ok(()),
    }
}
