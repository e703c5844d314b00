//! The match index of this gateway.

use std::collections::{BTreeMap, BTreeSet};

use tandem_mappings::model::id::RecordKey;
use tandem_mappings::model::link::LinkDecider;
use tandem_matching::{Candidate, Engine, EngineError, Found, Index, Record, Ruling, Settings};

use super::match_model::{self, ModelInUse};
use super::names::{self, NamePair};
use crate::config::{Config, LinkingConfig};
use crate::state::gone_record::GoneRecordDoc;
use crate::state::link::{LinkDoc, LinkStanding};
use crate::state::match_model::MatchModelDoc;
use crate::state::record::RecordDoc;
use crate::store::{Change, Document as _, Store, StoreError, Tx};

/// Fewer records are not learnt from.
const FEWEST_TO_LEARN: usize = 500;

/// Documents that are read at once.
const PAGE: u32 = 2_000;
/// Pages that wait to be taken in.
const WAITING: usize = 4;

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
    /// Whether a model is being learnt, from a snapshot of the store.
    is_learning: bool,
    /// The last change of another gateway that stands in the index.
    seen: i64,
}

/// Changes that are read at once.
const CHANGES: u32 = 500;

/// Something that the store says of who is who.
pub(super) enum Read {
    /// A record that may stand in the index.
    Record(Record),
    /// What a steward has said about two records.
    Ruling(RecordKey, RecordKey, Ruling),
}

/// Reads all records that may stand in the index, then all that stewards have said about them, in pages.
pub(super) struct Reading<'a> {
    tx: &'a mut Tx,
    page: u32,
    after: Vec<u8>,
    has_records: bool,
}

impl<'a> Reading<'a> {
    /// Begins; so many documents are read at once.
    pub(super) fn new(tx: &'a mut Tx, page: u32) -> Self {
        Self {
            tx,
            page,
            after: Vec::new(),
            has_records: true,
        }
    }

    /// The next page; `None` at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Read>>, StoreError> {
        if self.has_records {
            let (records, after) = self.tx.page::<RecordDoc>(&self.after, self.page).await?;
            if !records.is_empty() {
                self.after = after;
                let standing = records.iter();
                let standing = standing.filter(|record| record.is_active() && record.may_match);
                let records = standing.map(|record| Read::Record(engine_record(record)));
                return Ok(Some(records.collect()));
            }
            self.has_records = false;
            self.after.clear();
        }
        let (links, after) = self.tx.page::<LinkDoc>(&self.after, self.page).await?;
        self.after = after;
        let is_end = links.is_empty();
        let rulings = links.into_iter().filter_map(|link| {
            let ruling = ruling_of(&link)?;
            Some(Read::Ruling(link.a, link.b, ruling))
        });
        Ok((!is_end).then(|| rulings.collect()))
    }
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
            is_learning: false,
            seen: tx.last_change().await?,
        };
        matcher = matcher.filled(&mut tx).await?;
        let models = tx.all::<MatchModelDoc>().await?;
        if let Some(model) = match_model::latest(&models, base)? {
            matcher.adopt(model)?;
        }
        Ok(matcher)
    }

    /// Takes in all records that may stand in the index, and what stewards have said about them. While another thread
    /// does, the next are read.
    async fn filled(mut self, tx: &mut Tx) -> Result<Self, StoreError> {
        let (pages, mut taken) = tokio::sync::mpsc::channel::<Vec<Read>>(WAITING);
        let taking = tokio::task::spawn_blocking(move || {
            while let Some(page) = taken.blocking_recv() {
                page.into_iter().for_each(|read| self.take(read));
            }
            self
        });
        let mut reading = Reading::new(tx, PAGE);
        while let Some(page) = reading.next().await? {
            if pages.send(page).await.is_err() {
                break;
            }
        }
        drop(pages);
        match taking.await {
            Ok(filled) => Ok(filled),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Follows what other gateways have written, as far as a transaction sees it. Returns whether it could: else the index
    /// must be built anew.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn follow(&mut self, tx: &mut Tx) -> Result<bool, StoreError> {
        loop {
            let Some(changes) = tx.changes(self.seen, CHANGES).await? else {
                return Ok(false);
            };
            let Some(last) = changes.last().map(|last| last.sequence) else {
                return Ok(true);
            };
            for change in &changes {
                if !self.follow_one(tx, change).await? {
                    return Ok(false);
                }
            }
            self.seen = last;
        }
    }

    /// Follows one change; `false` when nobody can tell any more what it was.
    async fn follow_one(&mut self, tx: &mut Tx, change: &Change) -> Result<bool, StoreError> {
        match change.kind.as_str() {
            GoneRecordDoc::KIND => match tx.changed::<GoneRecordDoc>(change).await? {
                Some(gone) => self.remove(&gone.key),
                None => return Ok(false),
            },
            RecordDoc::KIND => {
                if let Some(record) = tx.changed::<RecordDoc>(change).await? {
                    if record.is_active() && record.may_match {
                        self.put(&engine_record(&record));
                    } else {
                        self.remove(&record.key);
                    }
                }
            }
            LinkDoc::KIND => {
                let link = tx.changed::<LinkDoc>(change).await?;
                if let Some((link, ruling)) = link.and_then(|link| {
                    let ruling = ruling_of(&link)?;
                    Some((link, ruling))
                }) {
                    self.rule(&link.a, &link.b, ruling);
                }
            }
            MatchModelDoc::KIND => {
                if let Some(model) = tx.changed::<MatchModelDoc>(change).await?
                    && model.version != self.model.version
                {
                    self.adopt(&model)?;
                }
            }
            _ => {}
        }
        Ok(true)
    }

    fn take(&mut self, read: Read) {
        match read {
            Read::Record(record) => self.insert(&record),
            Read::Ruling(a, b, ruling) => self.rule(&a, &b, ruling),
        }
    }

    /// Takes the place of an index that was built anew; what was tried needs no second try.
    pub fn replace(&mut self, other: Self) {
        let tried = self.tried.max(other.tried);
        let is_learning = self.is_learning;
        *self = Self {
            tried,
            is_learning,
            ..other
        };
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

    /// Notes that a model is being learnt from as many records as there are now.
    pub fn begin_learning(&mut self) {
        self.tried = self.index.len();
        self.is_learning = true;
    }

    /// Notes that it is learnt, or could not be.
    pub fn end_learning(&mut self) {
        self.is_learning = false;
    }

    /// Whether a model is being learnt now.
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.is_learning
    }

    /// What is decided about two records now, seen from the first.
    pub fn candidate(&mut self, key: &RecordKey, other: &RecordKey) -> Option<Candidate> {
        self.index.candidate(&key.into(), &other.into())
    }

    /// Adds a record that is not there.
    pub fn insert(&mut self, record: &Record) {
        self.index.insert(record);
        if let Some(own) = self.own.get_mut(&record.key.system) {
            own.insert(record);
        }
    }

    /// Adds or replaces a record and returns what is decided about it and those with which links connect it.
    pub fn update(&mut self, record: &RecordDoc) -> Found {
        let record = engine_record(record);
        self.put(&record);
        self.index.found(&record.key)
    }

    fn put(&mut self, record: &Record) {
        self.index.update(record);
        if let Some(own) = self.own.get_mut(&record.key.system) {
            own.update(record);
        }
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

    /// Whether the link of two records may make one person of those who are with each of them already.
    #[must_use]
    pub fn may_join(
        &self,
        (a, b): (&RecordKey, &RecordKey),
        (with_a, with_b): (&[RecordKey], &[RecordKey]),
    ) -> bool {
        let keys = |keys: &[RecordKey]| keys.iter().map(Into::into).collect::<Vec<_>>();
        self.index
            .may_join((&a.into(), &b.into()), (&keys(with_a), &keys(with_b)))
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
