//! Answers of the consent engine that are known: the same question on the same directives, rules and facts has the same answer
//! as long as it is steady (design.md 5: by a hash of all inputs). Asked between the outbox and the attempt, most questions are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tandem_consent::{Decision, Facts, Request};

use super::cited::Cited;

/// Answers that are kept, twice: those of late, and those before them.
const MOST: usize = 1_024;

/// The hash of everything on which an answer rests, but the time.
pub(super) type Question = [u8; 32];

/// An answer, and while it is the same.
#[derive(Debug, Clone)]
struct Known {
    from: Timestamp,
    until: Timestamp,
    decision: Arc<Decision>,
}

/// The answers of late. A question names the facts about the organisations in it.
#[derive(Debug, Default)]
pub(super) struct KnownAnswers(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Question, Known>,
    old: HashMap<Question, Known>,
}

impl KnownAnswers {
    /// The answer as it is at an instant, if it is known.
    pub(super) fn at(&self, question: &Question, now: Timestamp) -> Option<Arc<Decision>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.young.get(question).cloned().or_else(|| {
            let found = known.old.remove(question)?;
            known.keep(*question, found.clone());
            Some(found)
        })?;
        (found.from <= now && now < found.until).then_some(found.decision)
    }

    /// Keeps an answer.
    pub(super) fn keep(
        &self,
        question: Question,
        (from, until): (Timestamp, Timestamp),
        decision: Arc<Decision>,
    ) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = Known {
            from,
            until,
            decision,
        };
        known.keep(question, answer);
    }
}

impl Generations {
    fn keep(&mut self, question: Question, answer: Known) {
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(question, answer);
    }
}

/// What is asked, on which directives, by which rules. `None` of what cannot be written down.
pub(super) fn question(
    request: &Request,
    voices: &[Vec<Cited>],
    rules: &str,
    facts: &Facts,
) -> Option<Question> {
    let asked = Request {
        as_of: Timestamp::UNIX_EPOCH,
        ..request.clone()
    };
    let known: Vec<_> = request
        .organizations()
        .into_iter()
        .map(|id| facts.digest(id))
        .collect();
    let hashes = voices.iter();
    let hashes = hashes.map(|one| one.iter().map(|cited| &*cited.evidence.hash).collect());
    let hashes: Vec<Vec<&str>> = hashes.collect();
    let whole = serde_json::to_vec(&(asked, hashes, rules, known)).ok()?;
    Some(Sha256::digest(whole).into())
}
