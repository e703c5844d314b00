//! What is made of a configuration: the adapters, the intake, a lane for each destination, and the duties in which they work.
//! A gateway makes it at its start, and anew whenever a configuration is read while it serves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tandem_mappings::model::id::SystemId;

use crate::adapters::Adapters;
use crate::audit;
use crate::config::{Config, FhirServer, Push, SystemConfig};
use crate::delivery::Carrier;
use crate::delivery::lane::{self, Form, Lane};
use crate::duties::Duties;
use crate::intake::{self, Intake};
use crate::keys;
use crate::pipeline::accept::Acceptor;
use crate::pipeline::canary;
use crate::pipeline::core::Core;
use crate::pipeline::files;
use crate::pipeline::labelling::Labeller;
use crate::pipeline::{learning, processor, recalling, reconsidering, retention, timers};
use crate::replays;
use crate::transport::folder::ExchangeFolder;
use crate::transport::http::{ClientError, PartnerClient};

/// The lanes of a gateway, by destination.
pub(crate) type Lanes = BTreeMap<SystemId, Lane>;

/// What is made of a configuration.
pub(crate) struct Assembly {
    pub(crate) intake: Intake,
    pub(crate) lanes: Lanes,
    pub(crate) duties: Duties,
}

impl Assembly {
    /// Makes it. A destination of which the configuration says what it said goes on at the pace of its lane in `earlier`.
    ///
    /// # Errors
    /// When a part can't be set up; the system is named.
    pub(crate) fn of(
        core: &Arc<Core>,
        adapters: Arc<Adapters>,
        earlier: &Lanes,
    ) -> anyhow::Result<Self> {
        let labeller = Labeller::new(Arc::clone(&core.loaded));
        let acceptor = Acceptor::new(core.store.clone())
            .guarding(core.loaded.config.refresh)
            .keeping_large(Arc::clone(&core.files))
            .labelling(Arc::new(labeller))
            .taking_turns(Arc::clone(&core.releases))
            .traced(core.traces.clone());
        let mut assembly = Self {
            intake: Intake {
                core: Arc::clone(core),
                adapters,
                acceptor,
            },
            lanes: Lanes::new(),
            duties: Duties::default(),
        };
        let duties = &mut assembly.duties;
        pipeline_duty(core, duties);
        let sealing = Arc::clone(core);
        duties.add("keys", move |stop| keys::run(Arc::clone(&sealing), stop));
        let log = Arc::clone(core);
        duties.add("audit", move |stop| audit::run(Arc::clone(&log), stop));
        let large = Arc::clone(core);
        duties.add("files", move |stop| files::run(Arc::clone(&large), stop));
        let again = assembly.intake.clone();
        duties.add("replays", move |stop| {
            replays::large::run(again.clone(), stop)
        });
        let kept = Arc::clone(core);
        duties.add("retention", move |stop| {
            retention::duty::run(Arc::clone(&kept), stop)
        });
        for (id, system) in &core.loaded.config.systems {
            assembly
                .connect(id, system, earlier)
                .with_context(|| format!("systems.{id}"))?;
        }
        Ok(assembly)
    }

    fn connect(
        &mut self,
        id: &SystemId,
        system: &SystemConfig,
        earlier: &Lanes,
    ) -> anyhow::Result<()> {
        let (intake, duties) = (&self.intake, &mut self.duties);
        let mut carrier = None;
        if let Some(config) = &system.folder {
            let folder = Arc::new(ExchangeFolder::open(&config.path).with_context(|| {
                format!("opening the exchange folder {}", config.path.display())
            })?);
            carrier = Some(Carrier::Folder(Arc::clone(&folder)));
            let (intake, id, config) = (intake.clone(), id.clone(), config.clone());
            duties.add(format!("folder/{id}"), move |stop| {
                let folder = Arc::clone(&folder);
                intake::folder::watch(intake.clone(), id.clone(), config.clone(), folder, stop)
            });
        }
        if let Some(push) = &system.push {
            let client = push_client(push)?;
            carrier = Some(Carrier::Push(client, push.url.clone()));
        }
        let mut form = intake.adapters.writer(id).map(Form::Files);
        if let Some(server) = &system.fhir {
            let client = fhir_client(server)?;
            let every = Duration::from_secs(u64::from(server.poll_seconds.max(1)));
            let (intake_of, id_of, client_of) = (intake.clone(), id.clone(), client.clone());
            duties.add(format!("pull/{id}"), move |stop| {
                intake::pull::watch(
                    intake_of.clone(),
                    id_of.clone(),
                    client_of.clone(),
                    every,
                    stop,
                )
            });
            if let (None, Some(config)) = (&form, intake.adapters.fhir(id)) {
                form = system
                    .output
                    .is_some()
                    .then(|| Form::Fhir(Box::new(config.clone())));
                carrier = Some(Carrier::Fhir(client));
            }
        }
        if let (Some(form), Some(carrier)) = (form, carrier) {
            let mut lane = Lane::new(id.clone(), carrier, form, &system.lane);
            if let Some(earlier) = earlier.get(id) {
                lane.go_on_as(earlier);
            }
            self.lanes.insert(id.clone(), lane.clone());
            let core = Arc::clone(&intake.core);
            duties.add(format!("lane/{id}"), move |stop| {
                lane::run(Arc::clone(&core), lane.clone(), stop)
            });
        }
        Ok(())
    }
}

/// To match, to apply, to learn, to look at the time and at what must be recalled is one duty: all of it goes by one index in one
/// order, and by the rules that the same gateway has put in force.
fn pipeline_duty(core: &Arc<Core>, duties: &mut Duties) {
    let core = Arc::clone(core);
    duties.add("pipeline", move |stop| {
        let core = Arc::clone(&core);
        async move {
            let minutes = core.loaded.config.policy.canary_minutes;
            let probing = async {
                if minutes > 0 {
                    canary::run(Arc::clone(&core), minutes, stop.clone()).await;
                }
            };
            tokio::join!(
                processor::run(Arc::clone(&core), stop.clone()),
                learning::run(Arc::clone(&core), stop.clone()),
                timers::run(Arc::clone(&core), stop.clone()),
                recalling::duty::run(Arc::clone(&core), stop.clone()),
                reconsidering::run(Arc::clone(&core), stop.clone()),
                probing
            );
        }
    });
}

fn push_client(push: &Push) -> Result<PartnerClient, ClientError> {
    PartnerClient::new(push.token_file.as_deref(), push.authority.as_deref())
}

fn fhir_client(server: &FhirServer) -> Result<PartnerClient, ClientError> {
    PartnerClient::new(server.token_file.as_deref(), server.authority.as_deref())
}

/// Whether every partner of a configuration could be asked: its token and its authority can be read. Asks nobody.
///
/// # Errors
/// When one could not; the system is named.
pub(crate) fn check_partners(config: &Config) -> anyhow::Result<()> {
    for (id, system) in &config.systems {
        let push = system.push.as_ref().map(push_client).transpose();
        push.with_context(|| format!("systems.{id}.push"))?;
        let fhir = system.fhir.as_ref().map(fhir_client).transpose();
        fhir.with_context(|| format!("systems.{id}.fhir"))?;
    }
    Ok(())
}
