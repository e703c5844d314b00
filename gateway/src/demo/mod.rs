//! `tandem demo`: one synthetic family's journey through four agency systems.
//!
//! The gateway runs on a fresh store; the agency systems are simulators that speak only files and HTTP and share no code
//! with the adapters. The nine steps are those of the acceptance story; each is checked in what the simulated systems
//! received, and steps about figures and the audit in what the API and the public page show.

pub mod deployment;
pub mod directives;
mod negative;
pub mod office;
mod story;
mod voice;
pub mod world;

use std::path::PathBuf;

use anyhow::Context as _;

use world::World;

/// How to play.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Leave the gateway running afterwards.
    pub stay: bool,
    /// Play without any consent: nothing that depends on it may reach anybody.
    pub without_consent: bool,
    /// Where to keep the deployment; a temporary folder when absent.
    pub folder: Option<PathBuf>,
    /// An empty database of PostgreSQL for the gateway; a file in the folder when absent.
    pub postgres: Option<url::Url>,
    /// An OpenTelemetry collector for the gateway's traces.
    pub otlp: Option<url::Url>,
}

/// Plays the story. Returns whether every step came true.
///
/// # Errors
/// When the gateway or a simulator can't be started.
pub async fn run(options: Options) -> anyhow::Result<bool> {
    let temporary = tempfile::tempdir().context("making a folder for the demo")?;
    let folder = options
        .folder
        .clone()
        .unwrap_or_else(|| temporary.path().to_owned());
    let otlp = options.otlp.as_ref();
    let telemetry = otlp.map_or_else(String::new, |collector| {
        format!("\n[telemetry]\notlp = \"{collector}\"\nallow_plain = true\n")
    });
    let mut world = World::start_with(&folder, options.postgres.as_ref(), &telemetry).await?;
    let all = if options.without_consent {
        negative::play(&mut world).await
    } else {
        story::play(&mut world).await
    };
    if options.stay {
        voice::what_next(&world, &folder);
        tokio::signal::ctrl_c()
            .await
            .context("waiting for the end")?;
    }
    world.stop().await;
    Ok(all)
}
