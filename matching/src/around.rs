//! One record and those with which links would bring it together, decided as a batch of all records decides them.
//!
//! How records cluster depends on nothing but the records that links, one after another, connect: so the batch's
//! answer about a record can be had from these alone, in whatever order the records came.

use std::collections::HashMap;

use crate::blocking::Postings;
use crate::decide::Decision;
use crate::joining::{self, Joining};
use crate::matcher::Matcher;
use crate::model::Model;
use crate::population::{Population, Slot};
use crate::result::Pair;
use crate::ruling::Rulings;

/// Links are followed to so many records, several times what one cluster may hold.
const MOST: usize = 1_000;

/// Where the records around one are looked for.
pub(crate) struct Surroundings<'a> {
    pub(crate) population: &'a Population,
    pub(crate) postings: &'a mut Postings,
    pub(crate) model: &'a Model,
    pub(crate) rulings: &'a Rulings,
}

impl Surroundings<'_> {
    /// The links and reviews of a record, and the links of the records that it is connected with: each pair once, the
    /// surest first.
    pub(crate) fn around(&mut self, slot: Slot) -> Vec<Pair> {
        let (slots, mut pairs) = self.connected(slot);
        let matcher = self.matcher();
        pairs.sort_unstable_by(|one, other| matcher.order(one, other));
        // Two records alone have no rest that could speak against their link.
        if slots.len() > 2 {
            self.join(&slots, &mut pairs);
        }
        pairs
    }

    fn matcher(&self) -> Matcher<'_> {
        Matcher::new(self.population, self.model, self.rulings)
    }

    /// The records that links connect with one, it first; and the links among them, with the reviews of the first.
    fn connected(&mut self, first: Slot) -> (Vec<Slot>, Vec<Pair>) {
        let mut slots = vec![first];
        let mut numbers = HashMap::from([(first, 0)]);
        let mut pairs = Vec::new();
        let mut at = 0;
        while let Some(slot) = slots.get(at).copied() {
            let partners = self.partners(slot);
            let matcher = self.matcher();
            for other in partners {
                let number = numbers.get(&other).copied();
                if number.is_some_and(|number| number < at) {
                    continue;
                }
                let Some(pair) = matcher.pair(slot, other) else {
                    continue;
                };
                let is_link = pair.decision == Decision::Link;
                if is_link && number.is_none() && slots.len() < MOST {
                    numbers.insert(other, slots.len());
                    slots.push(other);
                }
                let is_known = numbers.contains_key(&other);
                if (is_link && is_known) || (at == 0 && pair.decision == Decision::Review) {
                    pairs.push(pair);
                }
            }
            at += 1;
        }
        (slots, pairs)
    }

    /// The records that share a block or a steward's decision with one.
    fn partners(&mut self, slot: Slot) -> Vec<Slot> {
        let limits = &self.model.settings.blocking;
        let mut partners = self.postings.partners(self.population, slot, limits);
        let ruled = self.rulings.partners(self.population.digest(slot));
        let before = partners.len();
        partners.extend(ruled.filter_map(|digest| self.population.slot_of(digest)));
        if partners.len() > before {
            partners.sort_unstable();
            partners.dedup();
        }
        partners.retain(|other| *other != slot);
        partners
    }

    /// Lets clusters form, and decides the pairs by them. Clusters count the records from 0.
    fn join(&self, slots: &[Slot], pairs: &mut [Pair]) {
        let numbers: HashMap<Slot, Slot> = (0..)
            .zip(slots)
            .map(|(number, slot)| (*slot, number))
            .collect();
        let number = |slot: Slot| numbers.get(&slot).copied().unwrap_or(slot);
        let slot = |number: Slot| slots.get(number as usize).copied().unwrap_or(number);
        let matcher = self.matcher();
        let lowest = self.model.settings.thresholds.link_bits;
        let joining = Joining {
            records: slots.len() as Slot,
            largest: self.model.settings.cluster.largest_cluster,
            lowest,
            refuses: |a, b, duplicates| matcher.refuses(slot(a), slot(b), duplicates),
        };
        let mut links: Vec<Pair> = pairs
            .iter()
            .filter(|pair| pair.decision == Decision::Link)
            .map(|pair| Pair {
                a: number(pair.a),
                b: number(pair.b),
                ..*pair
            })
            .collect();
        joining.join(&mut links);
        let decided = pairs
            .iter_mut()
            .filter(|pair| pair.decision == Decision::Link);
        for (pair, link) in decided.zip(links) {
            (pair.is_refused, pair.is_bridge) = (link.is_refused, link.is_bridge);
            joining::decide(pair, lowest);
        }
    }
}
