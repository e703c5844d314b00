//! From score and evidence to a decision: thresholds, and what no score can outweigh.

use serde::{Deserialize, Serialize};

use crate::field::{
    BirthLevel, Field, FirstLevel, IdentifierLevel, LastLevel, Pattern, SexLevel, SsnLevel,
    SuffixLevel,
};
use crate::ruling::Ruling;
use crate::score::{Evidence, Scorer};
use crate::settings::Thresholds;

/// What is decided about a pair of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// They are one person.
    Link,
    /// A steward decides.
    Review,
    /// They are not linked.
    NoLink,
}

impl Decision {
    /// The decision as outputs name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Review => "review",
            Self::NoLink => "no-link",
        }
    }
}

/// Something other than the score that made or changed a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// A steward confirmed the pair.
    StewardConfirmed,
    /// A steward rejected the pair.
    StewardRejected,
    /// Same birth date, or nearly, and another given name: twins or sisters, unless a number agrees.
    TwinConflict,
    /// Two generational suffixes: father and son, grandfather and grandson.
    SuffixConflict,
    /// Birth dates a generation apart: parent and child.
    OtherGeneration,
    /// Neither a number nor an exact birth date agrees: never linked without a steward.
    NoAnchor,
    /// Female and male, with given names that are not the same and no number that agrees: twins, if the rest is alike.
    SexConflict,
    /// Each has an identifier of a kind that should be one per person; they differ, and so does more.
    IdentifierConflict,
    /// Two members of one household could look like this; the score was lowered for it.
    HouseholdRival,
    /// Linking would bring records together that cannot be one person.
    ClusterConflict,
    /// A record, or a part of a cluster, hangs on this weak pair alone.
    Bridge,
}

const NOTES: [Note; 11] = [
    Note::StewardConfirmed,
    Note::StewardRejected,
    Note::TwinConflict,
    Note::SuffixConflict,
    Note::OtherGeneration,
    Note::NoAnchor,
    Note::SexConflict,
    Note::IdentifierConflict,
    Note::HouseholdRival,
    Note::ClusterConflict,
    Note::Bridge,
];

/// A small set of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Notes(u16);

impl Notes {
    pub(crate) fn add(&mut self, note: Note) {
        self.0 |= 1 << note as u16;
    }

    pub(crate) fn contains(self, note: Note) -> bool {
        self.0 & (1 << note as u16) != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Note> {
        NOTES.into_iter().filter(move |note| self.contains(*note))
    }
}

/// The answer about one pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) bits: f64,
    pub(crate) decision: Decision,
    /// The two can never be in one cluster.
    pub(crate) is_forbidden: bool,
    /// The score alone decides: no steward has, and no rule forbids a link.
    pub(crate) is_open: bool,
    pub(crate) notes: Notes,
}

/// A household rival that costs less than this is not worth a note.
const NOTED_BITS: f64 = -1.0;

/// Decides about a pair.
pub(crate) fn judge(scorer: &Scorer<'_>, evidence: &Evidence, ruling: Option<Ruling>) -> Judgement {
    let score = scorer.score(evidence);
    let mut notes = Notes::default();
    if score.household_bits <= NOTED_BITS {
        notes.add(Note::HouseholdRival);
    }
    let thresholds = &scorer.model.settings.thresholds;
    let limit = constrain(evidence.pattern, thresholds, &mut notes);
    let by_score = if score.bits >= thresholds.link_bits {
        Decision::Link
    } else if score.bits >= thresholds.review_bits {
        Decision::Review
    } else {
        Decision::NoLink
    };
    let (decision, is_forbidden) = match (ruling, limit, by_score) {
        (Some(Ruling::Confirmed), _, _) => {
            notes.add(Note::StewardConfirmed);
            (Decision::Link, false)
        }
        (Some(Ruling::Rejected), _, _) => {
            notes.add(Note::StewardRejected);
            (Decision::NoLink, true)
        }
        (None, Limit::Never, _) => (Decision::NoLink, true),
        (None, Limit::ReviewAtMost, Decision::Link) => (Decision::Review, false),
        (None, _, decision) => (decision, false),
    };
    Judgement {
        bits: score.bits,
        decision,
        is_forbidden,
        is_open: ruling.is_none() && limit == Limit::Link,
        notes,
    }
}

/// The most that a pair may become, whatever its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Limit {
    Never,
    ReviewAtMost,
    Link,
}

/// Rules about the levels of a pair, the household's above all.
struct Rules(Pattern);

impl Rules {
    fn is_birth(&self, levels: &[BirthLevel]) -> bool {
        levels
            .iter()
            .any(|level| self.0.level(Field::BirthDate) == *level as u8)
    }

    fn is_ssn(&self, levels: &[SsnLevel]) -> bool {
        levels
            .iter()
            .any(|level| self.0.level(Field::Ssn) == *level as u8)
    }

    fn is_first(&self, level: FirstLevel) -> bool {
        self.0.level(Field::FirstName) == level as u8
    }

    fn identifier(&self, level: IdentifierLevel) -> bool {
        self.0.level(Field::SharedIdentifier) == level as u8
    }

    fn family_name_agrees(&self) -> bool {
        [LastLevel::Exact, LastLevel::Part, LastLevel::Similar]
            .iter()
            .any(|level| self.0.level(Field::LastName) == *level as u8)
    }

    /// A number that one person has agrees as a whole.
    fn number_agrees(&self) -> bool {
        self.is_ssn(&[SsnLevel::Exact]) || self.identifier(IdentifierLevel::Same)
    }

    /// Another given name, and no number speaks for one person.
    fn twin(&self) -> Limit {
        if !self.is_first(FirstLevel::Different) || self.number_agrees() {
            return Limit::Link;
        }
        let is_nearly_one_day = [
            BirthLevel::Swapped,
            BirthLevel::OneDigit,
            BirthLevel::TwoParts,
        ];
        if self.is_birth(&is_nearly_one_day) {
            // A twin's date of birth suffers the same slips as anybody's, and sisters are often born in one month.
            return if self.family_name_agrees() {
                Limit::ReviewAtMost
            } else {
                Limit::Link
            };
        }
        if !self.is_birth(&[BirthLevel::Exact]) {
            Limit::Link
        } else if !self.family_name_agrees() || self.is_ssn(&[SsnLevel::Near, SsnLevel::LastFour]) {
            Limit::ReviewAtMost
        } else {
            Limit::Never
        }
    }

    fn suffix(&self) -> Limit {
        if self.0.level(Field::Suffix) != SuffixLevel::Conflict as u8 {
            Limit::Link
        } else if self.number_agrees() || self.is_birth(&[BirthLevel::Exact]) {
            Limit::ReviewAtMost
        } else {
            Limit::Never
        }
    }

    fn generation(&self, is_learnt: bool) -> Limit {
        if !self.is_birth(&[BirthLevel::Generation]) {
            Limit::Link
        } else if !self.number_agrees() {
            Limit::Never
        } else if is_learnt && self.names_agree() {
            // A number and both names: the birth date is the slip.
            Limit::Link
        } else {
            Limit::ReviewAtMost
        }
    }

    /// Both names agree in some way.
    fn names_agree(&self) -> bool {
        let first = self.0.level(Field::FirstName);
        let last = self.0.level(Field::LastName);
        let is_unlike = |level: u8, different: u8| level == 0 || level == different;
        !is_unlike(first, FirstLevel::Different as u8)
            && !is_unlike(last, LastLevel::Different as u8)
    }

    fn anchor(&self, is_needed: bool) -> Limit {
        let exact_birth = [BirthLevel::Exact, BirthLevel::Swapped, BirthLevel::OneDigit];
        let is_anchored = !is_needed
            || self.number_agrees()
            || self.is_ssn(&[SsnLevel::Near, SsnLevel::LastFour])
            || self.is_birth(&exact_birth);
        if is_anchored {
            Limit::Link
        } else {
            Limit::ReviewAtMost
        }
    }

    fn sex(&self) -> Limit {
        let is_conflict = self.0.level(Field::Sex) == SexLevel::Different as u8
            && !self.is_first(FirstLevel::Exact)
            && !self.number_agrees();
        if is_conflict {
            Limit::ReviewAtMost
        } else {
            Limit::Link
        }
    }

    /// Two identifiers of one kind: a person can have been given two, but then the rest must agree.
    fn identifiers(&self, is_learnt: bool) -> Limit {
        if is_learnt && self.names_agree() && self.is_birth(&[BirthLevel::Exact]) {
            return Limit::Link;
        }
        let is_conflict =
            self.identifier(IdentifierLevel::Different) && !self.is_ssn(&[SsnLevel::Exact]);
        let rest_agrees = self.is_first(FirstLevel::Exact)
            && self.is_birth(&[BirthLevel::Exact])
            && self.0.level(Field::LastName) == LastLevel::Exact as u8;
        if is_conflict && !rest_agrees {
            Limit::ReviewAtMost
        } else {
            Limit::Link
        }
    }
}

fn constrain(pattern: Pattern, thresholds: &Thresholds, notes: &mut Notes) -> Limit {
    let rules = Rules(pattern);
    let anchored = thresholds.anchored_links;
    let always = [
        (rules.suffix(), Note::SuffixConflict),
        (rules.anchor(anchored), Note::NoAnchor),
        (rules.sex(), Note::SexConflict),
    ];
    let in_households = [
        (rules.twin(), Note::TwinConflict),
        (rules.generation(!anchored), Note::OtherGeneration),
        (rules.identifiers(!anchored), Note::IdentifierConflict),
    ];
    let in_households = in_households
        .into_iter()
        .filter(|_| thresholds.household_rules);
    let mut strictest = Limit::Link;
    for (limit, note) in always.into_iter().chain(in_households) {
        if limit != Limit::Link {
            notes.add(note);
        }
        strictest = strictest.min(limit);
    }
    strictest
}
