//! What the legal holds that stand keep, resolved by the links of now: a person who is held is held by every record.

use std::collections::BTreeSet;

use tandem_mappings::model::id::{
    EpisodeId, OrganizationId, PersonId, RecordKey, ReferralId, SystemId,
};

use crate::config::Loaded;
use crate::pipeline::core::{Core, GATEWAY_SYSTEM};
use crate::state::episode::EpisodeDoc;
use crate::state::legal_hold::{HoldScope, LegalHoldDoc};
use crate::state::record::RecordDoc;
use crate::state::referral::ReferralDoc;
use crate::store::{StoreError, Tx};

/// What is held.
#[derive(Debug, Default)]
pub(super) struct Held {
    records: BTreeSet<RecordKey>,
    persons: BTreeSet<PersonId>,
    /// Systems of held organisations.
    systems: BTreeSet<SystemId>,
    /// Systems of which it is known whose they are; noted while an organisation is held.
    known: BTreeSet<SystemId>,
    organizations: BTreeSet<OrganizationId>,
    /// Cases by the key that their messages carry.
    cases: BTreeSet<Vec<u8>>,
    referrals: BTreeSet<ReferralId>,
    episodes: BTreeSet<EpisodeId>,
}

impl Held {
    /// What the holds keep that stand.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn load(core: &Core, tx: &mut Tx) -> Result<Self, StoreError> {
        let mut held = Self::default();
        let holds = tx
            .find::<LegalHoldDoc>(LegalHoldDoc::STANDING, LegalHoldDoc::PLACED)
            .await?;
        for hold in holds {
            match &hold.scope {
                HoldScope::Record(key) => held.record(tx, key).await?,
                HoldScope::Case(case) => held.case(tx, case).await?,
                HoldScope::Organization(organization) => {
                    held.organization(&core.loaded, organization);
                }
            }
        }
        Ok(held)
    }

    /// A system that is connected no more was the organisation's all the same: the registry is asked as well.
    fn organization(&mut self, loaded: &Loaded, organization: &OrganizationId) {
        self.organizations.insert(organization.clone());
        let connected = loaded.config.systems.iter();
        let connected = connected.map(|(id, system)| (id, &system.organization));
        let registered = loaded.registry.systems();
        let registered = registered.map(|system| (&system.id, &system.organization));
        for (system, whose) in connected.chain(registered) {
            self.known.insert(system.clone());
            if whose == organization {
                self.systems.insert(system.clone());
            }
        }
    }

    async fn record(&mut self, tx: &mut Tx, key: &RecordKey) -> Result<(), StoreError> {
        self.records.insert(key.clone());
        let Some(known) = tx.get::<RecordDoc>(&RecordDoc::key_of(key)).await? else {
            return Ok(());
        };
        let all = tx
            .find::<RecordDoc>("record.person", &known.person_id.to_string())
            .await?;
        self.persons.insert(known.person_id);
        for record in all {
            let former = record.former.iter().map(|former| former.person);
            self.persons.extend(former);
            self.records.insert(record.key);
        }
        Ok(())
    }

    async fn case(&mut self, tx: &mut Tx, case: &str) -> Result<(), StoreError> {
        if let Ok(key) = hex::decode(case) {
            self.cases.insert(key);
        }
        self.cases.insert(tx.mac("case", case)?.to_vec());
        let mut people = BTreeSet::new();
        if let Some(referral) = tx.get::<ReferralDoc>(case).await? {
            self.referrals.insert(referral.id);
            people.extend(referral.people);
        }
        if let Some(episode) = tx.get::<EpisodeDoc>(case).await? {
            self.episodes.insert(episode.id);
            people.extend(episode.members);
        }
        for person in &people {
            self.record(tx, person).await?;
        }
        Ok(())
    }

    /// Whether a record is held.
    pub(super) fn keeps_record(&self, key: &RecordKey) -> bool {
        self.records.contains(key) || self.keeps_system(&key.system)
    }

    /// Whether a system is held, or knows somebody who is: what it sent may speak of that person.
    pub(super) fn keeps_sent_by(&self, system: &SystemId) -> bool {
        self.keeps_system(system) || self.records.iter().any(|key| key.system == *system)
    }

    /// Whether everything of a system is held. One that neither the configuration nor the registry knows any more may have
    /// been any organisation's, and so a held one's.
    pub(super) fn keeps_system(&self, system: &SystemId) -> bool {
        let is_somebodys = self.known.contains(system) || system.as_str() == GATEWAY_SYSTEM;
        self.systems.contains(system) || (!self.organizations.is_empty() && !is_somebodys)
    }

    /// Whether everything of an organisation is held.
    pub(super) fn keeps_organization(&self, organization: &OrganizationId) -> bool {
        self.organizations.contains(organization)
    }

    /// Whether a case is held, by its key.
    pub(super) fn keeps_case(&self, key: &[u8]) -> bool {
        self.cases.contains(key)
    }

    /// Whether a referral is held.
    pub(super) fn keeps_referral(&self, id: ReferralId) -> bool {
        self.referrals.contains(&id)
    }

    /// Whether an episode is held.
    pub(super) fn keeps_episode(&self, id: EpisodeId) -> bool {
        self.episodes.contains(&id)
    }

    /// Whether anybody at all is held: what names nobody may be about that person. Of an organisation or a case nobody may be
    /// known, and what names nobody may be theirs all the same.
    pub(super) fn keeps_anybody(&self) -> bool {
        !self.records.is_empty() || !self.organizations.is_empty() || !self.cases.is_empty()
    }

    /// Whether a person is held, by name or by a record in a system of a held organisation.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn keeps_person(
        &self,
        tx: &mut Tx,
        person: PersonId,
    ) -> Result<bool, StoreError> {
        if self.persons.contains(&person) {
            return Ok(true);
        }
        if self.organizations.is_empty() {
            return Ok(false);
        }
        let id = person.to_string();
        for field in ["record.person", "record.former"] {
            let records = tx.find::<RecordDoc>(field, &id).await?;
            if records.iter().any(|record| self.keeps_record(&record.key)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tandem_mappings::registry::Registry;

    use super::*;
    use crate::store::tests::on_sqlite;

    fn system(id: &str) -> SystemId {
        id.parse().unwrap()
    }

    /// The example deployment without one of its systems.
    fn without(gone: &SystemId) -> Loaded {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/gateway.toml");
        let mut loaded = Loaded::from_file(&file).unwrap();
        assert!(loaded.config.systems.remove(gone).is_some());
        loaded
    }

    fn holding(loaded: &Loaded, organization: &str) -> Held {
        let mut held = Held::default();
        held.organization(loaded, &organization.parse().unwrap());
        held
    }

    #[test]
    fn a_held_organization_keeps_a_system_that_is_connected_no_more_or_known_to_nobody() {
        let (gone, other) = (system("bh-demo"), system("cws-demo"));
        let mut loaded = without(&gone);
        for registry in [loaded.registry.clone(), Registry::default()] {
            loaded.registry = registry;
            let held = holding(&loaded, "org-bh");
            let record = RecordKey {
                system: gone.clone(),
                person: "p-1".parse().unwrap(),
            };
            assert!(held.keeps_system(&gone) && held.keeps_sent_by(&gone));
            assert!(held.keeps_record(&record));
            for others in [&other, &system(GATEWAY_SYSTEM)] {
                assert!(!held.keeps_system(others) && !held.keeps_sent_by(others));
            }
        }
    }

    #[test]
    fn a_system_that_nobody_knows_is_not_held_while_no_organization_is() {
        assert!(!Held::default().keeps_system(&system("bh-demo")));
    }

    #[tokio::test]
    async fn what_names_nobody_is_kept_by_a_hold_on_what_nobody_knows() {
        assert!(!Held::default().keeps_anybody());
        let loaded = without(&system("bh-demo"));
        assert!(holding(&loaded, "org-of-nobody").keeps_anybody());
        let place = on_sqlite().await;
        let mut tx = place.store.snapshot().await.unwrap();
        let mut held = Held::default();
        held.case(&mut tx, "a-case-of-nobody").await.unwrap();
        assert!(held.keeps_anybody());
    }
}
