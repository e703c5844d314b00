//! Child welfare: the county's CWS/CMS extract, and the exchange partner that takes NIEM messages.

mod view;

pub use view::{
    NiemGoal, NiemKind, NiemMessage, NiemPerson, NiemPlan, NiemReferral, NiemService, NiemTask,
};

use std::path::PathBuf;

use crate::clock::SimClock;
use crate::folder::{ExchangeFolder, forward_folder};
use crate::http_client::{Gateway, GatewayAnswer};
use crate::inbox::{Inbox, forward_inbox};

/// What the child welfare simulator needs.
#[derive(Debug, Clone)]
pub struct ChildWelfareSettings {
    /// Exchange folder shared with the gateway; only `in/` is used, CWS/CMS takes no writes.
    pub folder: PathBuf,
    /// The demo's clock.
    pub clock: SimClock,
    /// Seed of the filler families.
    pub seed: u64,
}

/// The county's CWS/CMS: drops extracts, receives nothing but answers to its files.
#[derive(Debug)]
pub struct ChildWelfareSystem {
    inbox: Inbox<()>,
    folder: ExchangeFolder,
}

forward_inbox!(ChildWelfareSystem, ());
forward_folder!(ChildWelfareSystem);

impl ChildWelfareSystem {
    /// Starts the system.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub async fn start(_settings: ChildWelfareSettings) -> anyhow::Result<Self> {
        anyhow::bail!("the extract is not written yet")
    }

    /// Drops a zip of CWS/CMS tables and gives its file name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn drop_extract(&self) -> anyhow::Result<String> {
        anyhow::bail!("the extract is not written yet")
    }

    /// Words that stand only in sealed or sensitive records and must come out nowhere.
    #[must_use]
    pub fn secret_words(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What the exchange partner needs.
#[derive(Debug, Clone)]
pub struct ExchangePartnerSettings {
    /// Own organisation id, e.g. `org-cws`.
    pub organization: String,
    /// Bearer token that the gateway must show; `None` takes messages without one.
    pub token: Option<String>,
    /// The demo's clock.
    pub clock: SimClock,
}

/// The county's exchange partner: an HTTP inbox for NIEM messages, and a sender of them.
#[derive(Debug)]
pub struct ExchangePartner {
    inbox: Inbox<NiemMessage>,
}

forward_inbox!(ExchangePartner, NiemMessage);

impl ExchangePartner {
    /// Starts the inbox on a free port of the loopback interface.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(_settings: ExchangePartnerSettings) -> anyhow::Result<Self> {
        anyhow::bail!("the inbox is not written yet")
    }

    /// Address to which the gateway posts: `http://127.0.0.1:PORT/inbox`.
    #[must_use]
    pub fn inbox_url(&self) -> String {
        String::new()
    }

    /// Posts a message, as [`ExchangePartner::plan_update`] or [`ExchangePartner::referral`] made it,
    /// to `/v1/inbox/cws-demo/child-welfare/niem`.
    ///
    /// # Errors
    /// When the gateway cannot be reached.
    pub async fn send(&self, _gateway: &Gateway, _xml: &str) -> anyhow::Result<GatewayAnswer> {
        anyhow::bail!("the inbox is not written yet")
    }
}
