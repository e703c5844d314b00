//! The engine online: the same population, keys and comparisons, one record at a time.

use crate::blocking::Postings;
use crate::decide::Decision;
use crate::engine::Engine;
use crate::explain::Explanation;
use crate::matcher::Matcher;
use crate::model::Model;
use crate::person::Person;
use crate::population::{Population, Slot};
use crate::record::{Record, RecordKey};
use crate::ruling::Rulings;
use crate::score::Scorer;

/// A record that may be the same person.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The record found.
    pub key: RecordKey,
    /// log2 of the odds that the two are one person, by the model.
    pub score_bits: f64,
    /// Link or review.
    pub decision: Decision,
    /// Why.
    pub explanation: Explanation,
}

/// Records that can be asked for matches at any time.
///
/// Questions take the index mutably: the record asked about stands among the others while it is
/// compared, so that the answer is the one a batch of all of them would give.
#[derive(Debug)]
pub struct Index {
    pub(crate) model: Model,
    pub(crate) population: Population,
    postings: Postings,
    pub(crate) rulings: Rulings,
}

impl Index {
    /// An empty index.
    pub fn new(engine: &Engine) -> Self {
        Self {
            model: engine.model.clone(),
            population: Population::new(engine.nicknames.clone()),
            postings: Postings::default(),
            rulings: Rulings::new(),
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.population.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the record is there.
    pub fn contains(&self, key: &RecordKey) -> bool {
        self.population.slot(key).is_some()
    }

    /// Stewards' decisions, to be read and changed.
    pub fn rulings_mut(&mut self) -> &mut Rulings {
        &mut self.rulings
    }

    /// Adds a record; `false` when its key is there already, which changes nothing.
    pub fn insert(&mut self, record: &Record) -> bool {
        let prepared = self.population.prepare(record);
        let slot = self.population.insert(prepared);
        if let Some(slot) = slot {
            self.postings.insert(&self.population, slot);
        }
        slot.is_some()
    }

    /// Takes a record out; `false` when it is not there.
    pub fn remove(&mut self, key: &RecordKey) -> bool {
        let Some(slot) = self.population.slot(key) else {
            return false;
        };
        self.postings.remove(&self.population, slot);
        self.population.remove(slot)
    }

    /// Replaces a record, or adds it; whether it was there.
    pub fn update(&mut self, record: &Record) -> bool {
        let was_there = self.remove(&record.key);
        self.insert(record);
        was_there
    }

    /// Links and reviews of a record that is in the index, best first; empty when it is not.
    pub fn candidates_of(&mut self, key: &RecordKey) -> Vec<Candidate> {
        match self.population.slot(key) {
            Some(slot) => self.search(slot),
            None => Vec::new(),
        }
    }

    /// Links and reviews of a record as though it were in the index, best first.
    ///
    /// When the key is in the index, the content given stands in for the content held, for this
    /// question alone.
    pub fn candidates(&mut self, record: &Record) -> Vec<Candidate> {
        let held = self.take(&record.key);
        self.insert(record);
        let found = self.candidates_of(&record.key);
        self.remove(&record.key);
        if let Some(held) = held {
            self.put_back(&record.key, held);
        }
        found
    }

    fn take(&mut self, key: &RecordKey) -> Option<Person> {
        let slot = self.population.slot(key)?;
        self.postings.remove(&self.population, slot);
        self.population.set_aside(slot)
    }

    fn put_back(&mut self, key: &RecordKey, person: Person) {
        if let Some(slot) = self.population.restore(key, person) {
            self.postings.insert(&self.population, slot);
        }
    }

    /// Whether a record can join a cluster with these members: no two of them are known to be two
    /// people. Members that are not in the index are passed over; an absent record joins nothing.
    pub fn may_join(&self, key: &RecordKey, members: &[RecordKey]) -> bool {
        let Some(slot) = self.population.slot(key) else {
            return false;
        };
        let matcher = Matcher::new(&self.population, &self.model, &self.rulings);
        let members = members
            .iter()
            .filter_map(|member| self.population.slot(member));
        members
            .filter(|member| *member != slot)
            .all(|member| !matcher.refuses(slot, member, None))
    }

    /// Why two records of the index are decided as they are; `None` when one is not there.
    pub fn explain(&self, a: &RecordKey, b: &RecordKey) -> Option<Explanation> {
        let (a, b) = (self.population.slot(a)?, self.population.slot(b)?);
        let matcher = Matcher::new(&self.population, &self.model, &self.rulings);
        let (evidence, judgement) = matcher.judge(a, b)?;
        Some(Explanation::new(&self.scorer(), &evidence, &judgement))
    }

    fn scorer(&self) -> Scorer<'_> {
        Scorer::new(&self.model, self.population.len())
    }

    fn search(&mut self, slot: Slot) -> Vec<Candidate> {
        let limits = &self.model.settings.blocking;
        let mut partners = self.postings.partners(&self.population, slot, limits);
        let ruled = self.rulings.partners(self.population.digest(slot));
        partners.extend(ruled.filter_map(|digest| self.population.slot_of(digest)));
        partners.sort_unstable();
        partners.dedup();
        partners.retain(|other| *other != slot);
        let matcher = Matcher::new(&self.population, &self.model, &self.rulings);
        let scorer = self.scorer();
        let mut found = Vec::new();
        for other in partners {
            let Some((evidence, judgement)) = matcher.judge(slot, other) else {
                continue;
            };
            let Some(key) = self.population.key(other) else {
                continue;
            };
            if judgement.decision != Decision::NoLink {
                found.push(Candidate {
                    key,
                    score_bits: judgement.bits,
                    decision: judgement.decision,
                    explanation: Explanation::new(&scorer, &evidence, &judgement),
                });
            }
        }
        found.sort_by(|a, b| {
            b.score_bits
                .total_cmp(&a.score_bits)
                .then(a.key.cmp(&b.key))
        });
        found
    }
}
