//! The gateway and the simulated systems, with one clock for all.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use tandem_simulators::calworks::{CalworksSettings, CalworksSystem};
use tandem_simulators::cws::{
    ChildWelfareSettings, ChildWelfareSystem, ExchangePartner, ExchangePartnerSettings,
};
use tandem_simulators::fhir::{FhirServer, FhirSettings};
use tandem_simulators::hmis::{HmisSettings, HmisSystem};
use tandem_simulators::{Gateway as GatewayAddress, SimClock, family};

use super::deployment::{self, Places};
use super::office::Office;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::serve::Gateway;
use crate::store::{EventState, OutboxState};

/// How long a check waits for something to arrive, in real time.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// When the story begins: Monday morning.
const BEGIN: &str = "2026-02-02T09:00:00-08:00";
const SEED: u64 = 2026;

/// Everything that takes part. Tests use it as their county.
pub struct World {
    /// The county welfare department.
    pub calworks: CalworksSystem,
    /// CWS/CMS.
    pub cws: ChildWelfareSystem,
    /// The exchange partner, where child welfare workers read and write NIEM messages.
    pub partner: ExchangePartner,
    /// The primary care clinic.
    pub clinic: FhirServer,
    /// County behavioural health.
    pub behavioral_health: FhirServer,
    /// The homeless management information system.
    pub hmis: HmisSystem,
    /// The people who run the gateway, at its API.
    pub office: Office,
    /// The gateway as child welfare's exchange partner reaches it.
    pub for_cws: GatewayAddress,
    sim_clock: SimClock,
    clock: Clock,
    gateway: Gateway,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World({})", self.office.url())
    }
}

impl World {
    /// Starts everything on a fresh store: a file in the folder, or an empty database of PostgreSQL.
    ///
    /// # Errors
    /// When the folder holds a deployment, or a part can't be started.
    pub async fn start(folder: &Path, postgres: Option<&url::Url>) -> anyhow::Result<Self> {
        Box::pin(Self::start_with(folder, postgres, "")).await
    }

    /// Starts everything in a folder, with more settings at the end of the configuration.
    ///
    /// # Errors
    /// When the folder holds a deployment, or a part can't be started.
    pub async fn start_with(
        folder: &Path,
        postgres: Option<&url::Url>,
        settings: &str,
    ) -> anyhow::Result<Self> {
        // Before the simulators put anything there.
        deployment::refuse_existing(folder)?;
        let begin: Timestamp = BEGIN.parse()?;
        let sim_clock = SimClock::starting_at(begin)?;
        let token = deployment::token()?;
        let exchange = folder.join("exchange");
        let calworks = CalworksSystem::start(CalworksSettings {
            folder: exchange.join("calworks-demo"),
            organization: "org-calworks".to_owned(),
            clock: sim_clock.clone(),
            seed: SEED,
        })
        .await?;
        let cws = ChildWelfareSystem::start(ChildWelfareSettings {
            folder: exchange.join("cws-demo"),
            clock: sim_clock.clone(),
            seed: SEED,
        })
        .await?;
        let partner = ExchangePartner::start(ExchangePartnerSettings {
            organization: "org-cws".to_owned(),
            token: Some(token.clone()),
            clock: sim_clock.clone(),
        })
        .await?;
        let clinic = fhir(
            "org-clinic",
            "Demofield Community Clinic",
            family::CLINIC_PATIENT,
            &token,
            &sim_clock,
        )
        .await?;
        let behavioral_health = fhir(
            "org-bh",
            "Demo County Behavioral Health",
            family::BH_PATIENT,
            &token,
            &sim_clock,
        )
        .await?;
        let hmis = HmisSystem::start(HmisSettings {
            folder: exchange.join("hmis-demo"),
            clock: sim_clock.clone(),
            seed: SEED,
        })
        .await?;
        let places = Places {
            cws_inbox: partner.inbox_url(),
            clinic: clinic.base_url().to_owned(),
            behavioral_health: behavioral_health.base_url().to_owned(),
            partner_token: token,
            postgres: postgres.cloned(),
        };
        deployment::write(folder, &places)?;
        let file = folder.join("gateway.toml");
        let mut configuration = std::fs::OpenOptions::new().append(true).open(&file)?;
        configuration.write_all(settings.as_bytes())?;
        let loaded = Loaded::from_file(&file).context("loading the demo's configuration")?;
        let clock = Clock::standing_at(begin);
        let gateway = Gateway::start(loaded, clock.clone())
            .await
            .context("starting the gateway")?;
        let url = format!("http://{}", gateway.address);
        let for_cws = GatewayAddress::plain(
            url.clone(),
            std::fs::read_to_string(folder.join("cws.token"))?,
        );
        let office = Office::new(url, folder)?;
        Ok(Self {
            calworks,
            cws,
            partner,
            clinic,
            behavioral_health,
            hmis,
            office,
            for_cws,
            sim_clock,
            clock,
            gateway,
        })
    }

    /// The gateway's core, for tests that look inside.
    #[must_use]
    pub fn core(&self) -> std::sync::Arc<crate::pipeline::core::Core> {
        std::sync::Arc::clone(&self.gateway.core)
    }

    /// Moves everybody's clock.
    ///
    /// # Errors
    /// When the text is no instant.
    pub fn it_is(&self, instant: &str) -> anyhow::Result<()> {
        let at: Timestamp = instant
            .parse()
            .with_context(|| format!("{instant} is no instant"))?;
        self.sim_clock.set(at);
        self.clock.set(at);
        Ok(())
    }

    /// Lets some time pass, so that FHIR servers are asked again.
    ///
    /// # Errors
    /// When the clock can't go further.
    pub fn minutes_pass(&self, minutes: i64) -> anyhow::Result<()> {
        let later = self
            .clock
            .now()
            .checked_add(jiff::SignedDuration::from_mins(minutes))?;
        self.sim_clock.set(later);
        self.clock.set(later);
        Ok(())
    }

    /// Waits until nothing is left to do: every event applied, nothing on its way in any lane.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let mut changed = self.gateway.core.changed.subscribe();
        let quiet = async {
            loop {
                changed.borrow_and_update();
                if self.is_quiet().await? {
                    return anyhow::Ok(());
                }
                // Lanes and the processor wake this channel when they are done.
                let _more =
                    tokio::time::timeout(Duration::from_millis(200), changed.changed()).await;
            }
        };
        tokio::time::timeout(PATIENCE, quiet)
            .await
            .context("the gateway did not come to rest")?
    }

    async fn is_quiet(&self) -> anyhow::Result<bool> {
        let mut tx = self.gateway.core.store.snapshot().await?;
        let waiting = tx.count_events(EventState::Waiting).await?
            + tx.count_events(EventState::Staged).await?;
        let counts = tx.lane_counts().await?;
        // Every simulated system acknowledges what it takes, so what is only delivered is still on its way.
        let is_on_its_way = |state| matches!(state, OutboxState::Queued | OutboxState::Delivered);
        let on_its_way: i64 = counts
            .iter()
            .filter(|lane| is_on_its_way(lane.state))
            .map(|lane| lane.count)
            .sum();
        Ok(waiting == 0 && on_its_way == 0)
    }

    /// Everything that any strict reader complained about.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let mut add = |who: &str, found: Vec<tandem_simulators::Violation>| {
            all.extend(found.into_iter().map(|one| format!("{who}: {one}")));
        };
        add("CalWORKs", self.calworks.violations());
        add("CWS/CMS", self.cws.violations());
        add("exchange partner", self.partner.violations());
        add("clinic", self.clinic.violations());
        add("behavioral health", self.behavioral_health.violations());
        add("HMIS", self.hmis.violations());
        all
    }

    /// Whether a text reached any of the simulated systems.
    #[must_use]
    pub fn anybody_was_told(&self, text: &str) -> Option<&'static str> {
        let told = [
            ("CalWORKs", self.calworks.contains_text(text)),
            ("the exchange partner", self.partner.contains_text(text)),
            ("the clinic", self.clinic.contains_text(text)),
            (
                "behavioral health",
                self.behavioral_health.contains_text(text),
            ),
            ("HMIS", self.hmis.contains_text(text)),
        ];
        told.into_iter().find(|(_, was)| *was).map(|(who, _)| who)
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.gateway.stop().await;
    }
}

async fn fhir(
    id: &str,
    name: &str,
    patient: &str,
    token: &str,
    clock: &SimClock,
) -> anyhow::Result<FhirServer> {
    let others = [
        ("org-clinic", "Demofield Community Clinic"),
        ("org-bh", "Demo County Behavioral Health"),
    ];
    FhirServer::start(FhirSettings {
        organization: id.to_owned(),
        name: name.to_owned(),
        patient_id: patient.to_owned(),
        known_organizations: others
            .iter()
            .filter(|(other, _)| *other != id)
            .map(|(id, name)| ((*id).to_owned(), (*name).to_owned()))
            .collect(),
        reason_system: Some(
            "https://tandem.demo-county.example/id/CodeSystem/referral-reason".to_owned(),
        ),
        token: token.to_owned(),
        clock: clock.clone(),
        seed: SEED,
        page_size: 2,
    })
    .await
}
