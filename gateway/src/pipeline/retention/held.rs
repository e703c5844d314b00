//! What the legal holds that stand keep, resolved by the links of now: a person who is held is held by every record.

use std::collections::BTreeSet;

use tandem_mappings::model::id::{
    EpisodeId, OrganizationId, PersonId, RecordKey, ReferralId, SystemId,
};

use crate::pipeline::core::Core;
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
                    held.organizations.insert(organization.clone());
                    let systems = core.loaded.config.systems.iter();
                    let own = systems.filter(|(_, one)| one.organization == *organization);
                    held.systems.extend(own.map(|(id, _)| id.clone()));
                }
            }
        }
        Ok(held)
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
        self.records.contains(key) || self.systems.contains(&key.system)
    }

    /// Whether a system is held, or knows somebody who is: what it sent may speak of that person.
    pub(super) fn keeps_sent_by(&self, system: &SystemId) -> bool {
        self.systems.contains(system) || self.records.iter().any(|key| key.system == *system)
    }

    /// Whether everything of a system is held.
    pub(super) fn keeps_system(&self, system: &SystemId) -> bool {
        self.systems.contains(system)
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

    /// Whether anybody at all is held: what names nobody may be about that person.
    pub(super) fn keeps_anybody(&self) -> bool {
        !self.records.is_empty() || !self.systems.is_empty()
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
        if self.systems.is_empty() {
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
