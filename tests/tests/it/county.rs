//! The county of the acceptance story, brought to the point where a test begins, and what tests look at in it.

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tandem::demo::directives;
use tandem::demo::world::{PATIENCE, World};
use tandem::pipeline::core::Core;
use tandem::store::{EventState, OutboxRow, OutboxState};
use tandem_simulators::calworks::LinkagesMessage;
use tandem_simulators::family::{CIN_ANA, CIN_LEO, CIN_MARISOL};
use tandem_simulators::postgres::Cluster;
use tempfile::TempDir;

/// A running county and the folder that it lives in.
pub(crate) struct County {
    pub(crate) world: World,
    pub(crate) folder: TempDir,
    /// The database, where the tests run on PostgreSQL.
    _cluster: Option<Cluster>,
}

/// The engine of the store that the tests run on: SQLite, or with `TANDEM_TEST_STORE=postgres` a cluster of their own.
fn cluster() -> Option<Cluster> {
    match std::env::var("TANDEM_TEST_STORE").as_deref() {
        Ok("postgres") => Some(Cluster::start(false).unwrap()),
        Ok("sqlite") | Err(_) => None,
        Ok(other) => panic!("TANDEM_TEST_STORE is sqlite or postgres, not {other}"),
    }
}

impl County {
    /// Everything is started; nothing has been sent.
    pub(crate) async fn quiet() -> Self {
        provider();
        let folder = tempfile::tempdir().unwrap();
        let cluster = cluster();
        let database = cluster.as_ref().map(|cluster| cluster.database().unwrap());
        let database = database.map(|address| address.parse().unwrap());
        let world = Box::pin(World::start(folder.path(), database.as_ref()));
        Self {
            world: world.await.unwrap(),
            folder,
            _cluster: cluster,
        }
    }

    /// CalWORKs and child welfare know the family; whether the son is one person waits for a steward.
    pub(crate) async fn doubtful() -> Self {
        let county = Self::quiet().await;
        let world = &county.world;
        let caseload = world.calworks.drop_caseload().await.unwrap();
        world
            .calworks
            .wait_for_answer(&caseload, PATIENCE)
            .await
            .unwrap();
        let extract = world.cws.drop_extract().await.unwrap();
        world.cws.wait_for_answer(&extract, PATIENCE).await.unwrap();
        world.settle().await.unwrap();
        county
    }

    /// Besides, a steward has confirmed the doubtful pair.
    pub(crate) async fn linked() -> Self {
        let county = Self::doubtful().await;
        let world = &county.world;
        for link in world.office.candidates().await.unwrap() {
            world
                .office
                .confirm(link["id"].as_str().unwrap(), "same family")
                .await
                .unwrap();
        }
        world.settle().await.unwrap();
        county
    }

    /// Besides, the family has consented, and both workers were told of each other.
    pub(crate) async fn consented() -> Self {
        let county = Self::linked().await;
        county.consent().await;
        county.world.settle().await.unwrap();
        county
    }

    /// Besides, housing has loaded its first export.
    pub(crate) async fn housed() -> Self {
        let county = Self::consented().await;
        county.housing_loads().await;
        county
    }

    /// Housing drops a whole export, and it is taken.
    pub(crate) async fn housing_loads(&self) {
        let export = self.world.hmis.drop_export().await.unwrap();
        self.world
            .hmis
            .wait_for_answer(&export, PATIENCE)
            .await
            .unwrap();
        applied(&self.world.core()).await;
    }

    /// The mother signs the county's release for herself and both children.
    pub(crate) async fn consent(&self) {
        for (id, capacity, cin) in [
            ("consent-marisol", "self", CIN_MARISOL),
            ("consent-ana", "parent", CIN_ANA),
            ("consent-leo", "parent", CIN_LEO),
        ] {
            let directive = directives::coordination(id, capacity);
            self.world
                .office
                .consent(&directive, "calworks-demo", cin)
                .await
                .unwrap();
        }
    }

    /// CalWORKs drops a file with one message, the gateway answers for it, and what it says takes effect.
    pub(crate) async fn calworks_says(&self, message: LinkagesMessage) {
        let calworks = &self.world.calworks;
        let file = calworks.send(&[message]).await.unwrap();
        calworks.wait_for_answer(&file, PATIENCE).await.unwrap();
        applied(&self.world.core()).await;
    }

    /// A consent is taken back, wholly.
    pub(crate) async fn revoke(&self, id: &str) -> Value {
        let body = serde_json::json!({ "categories": [], "channel": "telephone" });
        self.world
            .office
            .post("privacy", &format!("/v1/consents/{id}/revoke"), &body)
            .await
            .unwrap()
    }

    /// An operator stops a lane, or lets it go on.
    pub(crate) async fn lane(&self, name: &str, verb: &str) {
        self.world
            .office
            .post(
                "operator",
                &format!("/v1/lanes/{name}/{verb}"),
                &serde_json::json!({ "reason": "the test looks at what waits" }),
            )
            .await
            .unwrap();
    }

    /// The messages of a lane, in order.
    pub(crate) async fn outbox(&self, lane: &str) -> Vec<OutboxRow> {
        outbox(&self.world.core(), lane).await
    }

    /// A file that the gateway took from a system's folder.
    pub(crate) fn taken(&self, system: &str, name: &str) -> Vec<u8> {
        std::fs::read(
            self.folder
                .path()
                .join(format!("exchange/{system}/done/{name}")),
        )
        .unwrap()
    }

    pub(crate) async fn stop(self) {
        self.world.stop().await;
    }
}

/// Whatever in the process speaks TLS needs a provider.
pub(crate) fn provider() {
    // Somebody else in the process may have installed it already.
    let _already = rustls::crypto::ring::default_provider().install_default();
}

/// The messages of a lane, in order.
pub(crate) async fn outbox(core: &Core, lane: &str) -> Vec<OutboxRow> {
    let mut tx = core.store.snapshot().await.unwrap();
    let mut rows = tx.outbox_in(&OutboxState::ALL).await.unwrap();
    rows.retain(|row| row.lane == lane);
    rows
}

/// Waits until something holds in the store; it is looked at again whenever the gateway did something.
pub(crate) async fn until<F, H>(core: &Core, what: &str, holds: H)
where
    F: Future<Output = bool>,
    H: Fn() -> F,
{
    let mut changed = core.changed.subscribe();
    let waiting = async {
        loop {
            changed.borrow_and_update();
            if holds().await {
                return;
            }
            let _more = tokio::time::timeout(Duration::from_millis(100), changed.changed()).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .with_context(|| format!("in vain: {what}"))
        .unwrap();
}

/// Waits until every accepted event took effect, whatever the lanes do.
pub(crate) async fn applied(core: &Core) {
    until(core, "every event takes effect", || async {
        let mut tx = core.store.snapshot().await.unwrap();
        let staged = tx.count_events(EventState::Staged).await.unwrap();
        staged + tx.count_events(EventState::Waiting).await.unwrap() == 0
    })
    .await;
}

/// Waits until nothing in a lane is queued, failed or unacknowledged.
pub(crate) async fn drained(core: &Core, lane: &str) {
    until(core, &format!("lane {lane} is drained"), || async {
        let rows = outbox(core, lane).await;
        !rows.iter().any(|row| {
            matches!(
                row.state,
                OutboxState::Queued | OutboxState::Failed | OutboxState::Delivered
            )
        })
    })
    .await;
}
