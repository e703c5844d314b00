//! The engine online: the same population, keys and comparisons, one record at a time.

use crate::around::Surroundings;
use crate::blocking::Postings;
use crate::cluster::may_become_one;
use crate::decide::Decision;
use crate::engine::Engine;
use crate::explain::Explanation;
use crate::joining::duplicates;
use crate::matcher::Matcher;
use crate::model::Model;
use crate::person::Person;
use crate::population::{Population, Slot};
use crate::record::{Record, RecordKey};
use crate::result::Pair;
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

/// What a batch of all records of an index would decide about one of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Its links and reviews, best first.
    pub candidates: Vec<Candidate>,
    /// The links, by their score alone, among the records that it is connected with through links, each seen from the
    /// record that is named first; a decision for review says that clusters hold the link back.
    pub beside: Vec<(RecordKey, Candidate)>,
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
        let Some(slot) = self.population.slot(key) else {
            return Vec::new();
        };
        let mut pairs = self.around(slot);
        pairs.retain(|pair| pair.a == slot || pair.b == slot);
        self.told(&pairs, slot)
    }

    /// The same, with the links of the records that it is connected with.
    pub fn found(&mut self, key: &RecordKey) -> Found {
        let Some(slot) = self.population.slot(key) else {
            return Found::default();
        };
        let (own, beside): (Vec<Pair>, Vec<Pair>) = self
            .around(slot)
            .into_iter()
            .partition(|pair| pair.a == slot || pair.b == slot);
        let scorer = self.scorer();
        let beside = beside.iter().filter_map(|pair| {
            let seen_from = self.population.key(pair.a)?;
            Some((seen_from, self.candidate_of(pair, pair.b, &scorer)?))
        });
        Found {
            beside: beside.collect(),
            candidates: self.told(&own, slot),
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

    /// Whether the link of two records may make one person of those who are with each of them already, the two
    /// themselves included or not: nobody comes together whom a batch would keep apart. Records that are not in the
    /// index are passed over; a pair that is no link makes nobody one.
    pub fn may_join(
        &self,
        (a, b): (&RecordKey, &RecordKey),
        (with_a, with_b): (&[RecordKey], &[RecordKey]),
    ) -> bool {
        let (Some(a), Some(b)) = (self.population.slot(a), self.population.slot(b)) else {
            return false;
        };
        let matcher = Matcher::new(&self.population, &self.model, &self.rulings);
        let lowest = self.model.settings.thresholds.link_bits;
        let link = matcher.pair(a, b).filter(|pair| pair.is_to_link(lowest));
        let Some(link) = link else {
            return false;
        };
        let duplicates = duplicates(&link, lowest);
        let largest = self.model.settings.cluster.largest_cluster;
        let (one, other) = (self.cluster(a, with_a), self.cluster(b, with_b));
        may_become_one((&one, &other), (a, b), largest, |a, b| {
            matcher.refuses(a, b, duplicates)
        })
    }

    /// A record and those who are with it, each once.
    fn cluster(&self, slot: Slot, with: &[RecordKey]) -> Vec<Slot> {
        let others = with.iter().filter_map(|key| self.population.slot(key));
        let mut cluster: Vec<Slot> = others.chain([slot]).collect();
        cluster.sort_unstable();
        cluster.dedup();
        cluster
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

    fn around(&mut self, slot: Slot) -> Vec<Pair> {
        let mut surroundings = Surroundings {
            population: &self.population,
            postings: &mut self.postings,
            model: &self.model,
            rulings: &self.rulings,
        };
        surroundings.around(slot)
    }

    /// Pairs of one record as its candidates, best first.
    fn told(&self, pairs: &[Pair], slot: Slot) -> Vec<Candidate> {
        let scorer = self.scorer();
        let candidates = pairs.iter().filter_map(|pair| {
            let other = if pair.a == slot { pair.b } else { pair.a };
            self.candidate_of(pair, other, &scorer)
        });
        let mut found: Vec<Candidate> = candidates.collect();
        found.sort_by(|a, b| {
            b.score_bits
                .total_cmp(&a.score_bits)
                .then(a.key.cmp(&b.key))
        });
        found
    }

    fn candidate_of(&self, pair: &Pair, other: Slot, scorer: &Scorer<'_>) -> Option<Candidate> {
        Some(Candidate {
            key: self.population.key(other)?,
            score_bits: pair.bits,
            decision: pair.decision,
            explanation: pair.explained(scorer),
        })
    }
}
