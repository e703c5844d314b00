//! The match index of this gateway.

use std::collections::{BTreeMap, BTreeSet};

use tandem_mappings::model::id::RecordKey;
use tandem_mappings::model::link::LinkDecider;
use tandem_matching::{Candidate, Engine, EngineError, Index, Learnt, Record, Ruling, Settings};

use super::match_model::{self, ModelInUse};
use super::names::{self, NamePair};
use crate::config::{Config, LinkingConfig};
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::match_model::MatchModelDoc;
use crate::state::record::RecordDoc;
use crate::store::{Store, StoreError, Tx};

/// Fewer records are not learnt from.
const FEWEST_TO_LEARN: usize = 500;

/// Documents that are read at once.
const PAGE: u32 = 2_000;

/// The match index.
#[derive(Debug)]
pub struct Matcher {
    index: Index,
    /// The records of each system that may ask about its own, by themselves.
    own: BTreeMap<String, Index>,
    /// Nicknames that stewards have taught.
    names: BTreeSet<NamePair>,
    model: ModelInUse,
    /// How many records there were when a model was last learnt, or could not be.
    tried: usize,
}

impl Matcher {
    /// Builds the index from the records that may stand in it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(engine: &Engine, store: &Store, config: &Config) -> Result<Self, StoreError> {
        let mut tx = store.snapshot().await?;
        let names = names::taught(&mut tx).await?;
        let taught = names.iter().map(|(a, b)| (a.as_str(), b.as_str()));
        let knowing = engine.clone().knowing(taught);
        let base = engine.settings();
        let asking = config.systems.iter().filter(|(_, of)| of.own_matches);
        let mut matcher = Self {
            index: Index::new(&knowing),
            own: asking
                .map(|(system, _)| (system.to_string(), Index::new(&knowing)))
                .collect(),
            names,
            model: ModelInUse::set(base)?,
            tried: 0,
        };
        matcher.fill(&mut tx).await?;
        let models = tx.all::<MatchModelDoc>().await?;
        if let Some(model) = match_model::latest(&models, base)? {
            matcher.adopt(model)?;
        }
        Ok(matcher)
    }

    /// Takes in all records that may stand in the index, and what stewards have said about them.
    async fn fill(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut after = Vec::new();
        loop {
            let (records, last) = tx.page::<RecordDoc>(&after, PAGE).await?;
            if records.is_empty() {
                break;
            }
            after = last;
            for record in records {
                if record.is_active() && record.may_match {
                    self.insert(&engine_record(&record));
                }
            }
        }
        after.clear();
        loop {
            let (links, last) = tx.page::<LinkDoc>(&after, PAGE).await?;
            if links.is_empty() {
                return Ok(());
            }
            after = last;
            for link in links {
                if let Some(ruling) = ruling_of(&link) {
                    self.rule(&link.a, &link.b, ruling);
                }
            }
        }
    }

    /// Takes the place of an index that was built anew; what was tried needs no second try.
    pub fn replace(&mut self, other: Self) {
        let tried = self.tried.max(other.tried);
        *self = Self { tried, ..other };
    }

    /// Links by a model from now on.
    ///
    /// # Errors
    /// When this version of the program cannot read it.
    pub fn adopt(&mut self, model: &MatchModelDoc) -> Result<(), StoreError> {
        let (settings, in_use) = match_model::read(model)?;
        for index in self.own.values_mut().chain([&mut self.index]) {
            index
                .adopt(settings.clone())
                .map_err(|_| match_model::UNKNOWN)?;
        }
        self.tried = self.tried.max(model.records);
        self.model = in_use;
        Ok(())
    }

    /// The nicknames that stewards have taught.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<NamePair> {
        &self.names
    }

    /// The model by which links are made now.
    #[must_use]
    pub fn model(&self) -> &ModelInUse {
        &self.model
    }

    /// Whether there are enough records to learn from, and half as many again as when it was last tried.
    #[must_use]
    pub fn is_outgrown(&self) -> bool {
        let records = self.index.len();
        records >= FEWEST_TO_LEARN && records >= self.tried + self.tried.div_ceil(2)
    }

    /// What the records show. The index answers nobody meanwhile.
    ///
    /// # Errors
    /// When they show too little.
    pub async fn learn(&mut self, engine: &Engine) -> Result<Learnt, String> {
        self.tried = self.index.len();
        let mut index = std::mem::replace(&mut self.index, Index::new(engine));
        let base = engine.settings().clone();
        let work = tokio::task::spawn_blocking(move || {
            let learnt = index.learn(&base).map_err(|error| error.to_string());
            (index, learnt)
        });
        let (index, learnt) = work.await.map_err(|error| error.to_string())?;
        self.index = index;
        learnt
    }

    /// What is decided about two records now, seen from the first.
    #[must_use]
    pub fn candidate(&self, key: &RecordKey, other: &RecordKey) -> Option<Candidate> {
        self.index.candidate(&key.into(), &other.into())
    }

    /// Adds a record that is not there.
    pub fn insert(&mut self, record: &Record) {
        self.index.insert(record);
        if let Some(own) = self.own.get_mut(&record.key.system) {
            own.insert(record);
        }
    }

    /// Adds or replaces a record and returns its candidates, best first.
    pub fn update(&mut self, record: &RecordDoc) -> Vec<Candidate> {
        let record = engine_record(record);
        self.index.update(&record);
        if let Some(own) = self.own.get_mut(&record.key.system) {
            own.update(&record);
        }
        self.index.candidates_of(&record.key)
    }

    /// Takes a record out.
    pub fn remove(&mut self, key: &RecordKey) {
        self.index.remove(&key.into());
        if let Some(own) = self.own.get_mut(key.system.as_str()) {
            own.remove(&key.into());
        }
    }

    /// Candidates for a query record that is not kept.
    pub fn candidates(&mut self, record: &Record) -> Vec<Candidate> {
        self.index.candidates(record)
    }

    /// Candidates among the records of the same system for a query record that is not kept, as though there were no
    /// other system; `None` when that system may not ask.
    pub fn own_candidates(&mut self, record: &Record) -> Option<Vec<Candidate>> {
        let own = self.own.get_mut(&record.key.system)?;
        Some(own.candidates(record))
    }

    /// Whether a record may join the people's records without breaking a constraint.
    #[must_use]
    pub fn may_join(&self, key: &RecordKey, members: &[RecordKey]) -> bool {
        let members: Vec<_> = members.iter().map(Into::into).collect();
        self.index.may_join(&key.into(), &members)
    }

    /// Keeps a steward's ruling.
    pub fn rule(&mut self, a: &RecordKey, b: &RecordKey, ruling: Ruling) {
        self.index.rulings_mut().set(&a.into(), &b.into(), ruling);
        if a.system != b.system {
            return;
        }
        if let Some(own) = self.own.get_mut(a.system.as_str()) {
            own.rulings_mut().set(&a.into(), &b.into(), ruling);
        }
    }

    /// How many records stand in the index.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether the index is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }
}

fn ruling_of(link: &LinkDoc) -> Option<Ruling> {
    match (link.standing, link.decider) {
        (LinkStanding::Linked, LinkDecider::Steward) => Some(Ruling::Confirmed),
        // A link that ended because a record was withdrawn is no steward's word about the two.
        (LinkStanding::Rejected, _) | (LinkStanding::Undone, LinkDecider::Steward) => {
            Some(Ruling::Rejected)
        }
        _ => None,
    }
}

/// A record as the engine compares it, with its household.
#[must_use]
pub fn engine_record(document: &RecordDoc) -> Record {
    let mut record = Record::from_person(&document.key, &document.person);
    if let Some(member) = document
        .memberships
        .iter()
        .find(|member| member.household.is_some())
    {
        record.household = member.household.as_ref().map(|id| id.as_str().to_owned());
        record.relationship = tandem_matching::Relationship::from_relation(member.relation);
    }
    record
}

/// The engine that a configuration asks for.
///
/// # Errors
/// When the settings are not usable.
pub fn engine(settings: Option<&str>, linking: &LinkingConfig) -> Result<Engine, EngineError> {
    let mut settings = match settings {
        Some(text) => Settings::parse(text)?,
        None => Settings::standard()?,
    };
    let thresholds = &mut settings.thresholds;
    thresholds.false_match_rate = linking.false_match_rate.get();
    // Until the records show more, no pair is linked whose own odds are worse than the rate.
    thresholds.link_bits = thresholds.link_bits.max(linking.false_match_rate.bits());
    Engine::new(settings)
}
