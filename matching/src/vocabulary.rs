//! The distinct names of a population, each analysed once.

use hashbrown::HashMap;
use rphonetic::DoubleMetaphone;

use crate::mix::{self, MixedMap, Tally};
use crate::nickname::Nicknames;
use crate::spelling::Spelling;
use crate::text;

/// Number of a name in the vocabulary; 0 is "no name".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) struct NameId(u32);

impl NameId {
    pub(crate) fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// A name that was looked up.
#[derive(Debug)]
pub(crate) enum Spelt {
    /// It is there; or it is no name.
    Known(NameId),
    /// It is not: its words, with blanks between them.
    New(Box<str>),
}

impl Default for Spelt {
    fn default() -> Self {
        Self::Known(NameId::default())
    }
}

/// As what a name is used; the uses are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameUse {
    Given,
    Family,
    /// By a record that is set aside for a moment; no frequency counts it.
    Held,
}

/// One distinct name and what comparison and blocking need of it.
#[derive(Debug, Default)]
pub(crate) struct NameEntry {
    /// The words without blanks.
    pub(crate) joined: Box<str>,
    /// Keys of the words, in order.
    pub(crate) words: Box<[u64]>,
    /// The words when there are several.
    pub(crate) parts: Box<[Part]>,
    /// Phonetic keys of the words, in order.
    pub(crate) sounds: Box<[u64]>,
    /// Nickname sets of the whole name or of its first word.
    pub(crate) nicknames: Box<[u16]>,
    /// Key of the canonical form (nicknames resolved) of the first word.
    pub(crate) canonical: u64,
    /// First letter of the canonical form.
    pub(crate) initial: char,
    held: u32,
}

/// A word of a name of several.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) spelling: Spelling,
    pub(crate) text: Box<str>,
}

impl Part {
    fn new(word: &str) -> Self {
        Self {
            spelling: Spelling::of(word, 1, false),
            text: word.into(),
        }
    }
}

/// What most comparisons ask of a name.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Glance {
    pub(crate) spelling: Spelling,
    given: u32,
    family: u32,
}

impl Glance {
    /// How many records use it as a given name.
    pub(crate) fn given(self) -> u32 {
        self.given
    }

    /// How many records use it as a family name.
    pub(crate) fn family(self) -> u32 {
        self.family
    }
}

/// All names in use. A name that no record uses any more is forgotten.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    nicknames: Nicknames,
    sounder: DoubleMetaphone,
    ids: HashMap<Box<str>, NameId>,
    /// The names at a glance, in the order of `entries`.
    glances: Vec<Glance>,
    entries: Vec<NameEntry>,
    spellings: Vec<Box<str>>,
    free: Vec<NameId>,
    /// How many family names of several words hold each word.
    family_words: Tally,
    /// The names that are one word, by the word.
    single: MixedMap<u64, NameId>,
    none: NameEntry,
}

impl Vocabulary {
    pub(crate) fn new(nicknames: Nicknames) -> Self {
        Self {
            nicknames,
            sounder: DoubleMetaphone::new(Some(5)),
            ids: HashMap::new(),
            glances: vec![Glance::default()],
            entries: vec![NameEntry::default()],
            spellings: vec![Box::default()],
            free: Vec::new(),
            family_words: Tally::default(),
            single: MixedMap::default(),
            none: NameEntry::default(),
        }
    }

    /// Looks a name up, in the spelling of the source.
    pub(crate) fn find(&self, spelling: &str) -> Spelt {
        if spelling.is_empty() {
            return Spelt::default();
        }
        let name = text::name(spelling);
        match self.ids.get(name.as_str()) {
            Some(known) => Spelt::Known(*known),
            None if name.is_empty() => Spelt::default(),
            None => Spelt::New(name.into()),
        }
    }

    /// Adds a name that is new, and counts the use.
    pub(crate) fn acquire(&mut self, spelt: &Spelt, name_use: NameUse) -> NameId {
        let id = match spelt {
            Spelt::Known(id) => *id,
            // Another record of the same moment may have brought it already.
            Spelt::New(name) => match self.ids.get(name) {
                Some(known) => *known,
                None => self.add(name),
            },
        };
        self.reuse(id, name_use);
        id
    }

    /// Counts one more use of a name that is there.
    pub(crate) fn reuse(&mut self, id: NameId, name_use: NameUse) {
        if id.is_none() {
            return;
        }
        if let Some(count) = self.count_mut(id, name_use) {
            *count += 1;
        }
        if name_use == NameUse::Family && !self.glance(id).spelling.is_one_word() {
            let words = self.entries.get(id.0 as usize).map(|entry| &entry.words);
            let words = words.into_iter().flatten();
            words.for_each(|word| self.family_words.add(*word));
        }
    }

    /// Takes back one use; a name without uses is forgotten.
    pub(crate) fn release(&mut self, id: NameId, name_use: NameUse) {
        if id.is_none() {
            return;
        }
        if let Some(count) = self.count_mut(id, name_use) {
            *count = count.saturating_sub(1);
        }
        let glance = self.glance(id);
        if name_use == NameUse::Family && !glance.spelling.is_one_word() {
            let words = self.entries.get(id.0 as usize).map(|entry| &entry.words);
            let words = words.into_iter().flatten();
            words.for_each(|word| self.family_words.remove(*word));
        }
        if glance.given == 0 && glance.family == 0 && self.entry(id).held == 0 {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: NameId) {
        let place = id.0 as usize;
        let (Some(glance), Some(entry), Some(spelling)) = (
            self.glances.get_mut(place),
            self.entries.get_mut(place),
            self.spellings.get_mut(place),
        ) else {
            return;
        };
        if let [word] = *entry.words {
            self.single.remove(&word);
        }
        self.ids.remove(spelling);
        (*glance, *entry, *spelling) = Default::default();
        self.free.push(id);
    }

    fn count_mut(&mut self, id: NameId, name_use: NameUse) -> Option<&mut u32> {
        let place = id.0 as usize;
        match name_use {
            NameUse::Given => self.glances.get_mut(place).map(|glance| &mut glance.given),
            NameUse::Family => self.glances.get_mut(place).map(|glance| &mut glance.family),
            NameUse::Held => self.entries.get_mut(place).map(|entry| &mut entry.held),
        }
    }

    /// How many family names in use hold the word.
    pub(crate) fn family_word_count(&self, word: u64) -> u32 {
        let single = self.single.get(&word).map(|id| self.glance(*id).family);
        self.family_words.count(word) + single.unwrap_or(0)
    }

    /// How many records use the name as a family name.
    pub(crate) fn holders(&self, id: NameId) -> u32 {
        self.glance(id).family
    }

    /// The analysis of a name.
    pub(crate) fn entry(&self, id: NameId) -> &NameEntry {
        self.entries.get(id.0 as usize).unwrap_or(&self.none)
    }

    /// The name at a glance; the default when there is none.
    pub(crate) fn glance(&self, id: NameId) -> Glance {
        self.glances.get(id.0 as usize).copied().unwrap_or_default()
    }

    fn add(&mut self, name: &str) -> NameId {
        let words: Vec<&str> = name.split(' ').collect();
        let spaced: Box<str> = name.into();
        let entry = self.analyse(&words);
        let glance = Glance {
            spelling: Spelling::of(&entry.joined, words.len(), !entry.nicknames.is_empty()),
            ..Glance::default()
        };
        let id = match self.free.pop() {
            Some(id) => id,
            None => NameId(u32::try_from(self.entries.len()).unwrap_or(0)),
        };
        if let [word] = *entry.words {
            self.single.insert(word, id);
        }
        if id.0 as usize == self.entries.len() {
            self.glances.push(glance);
            self.entries.push(entry);
            self.spellings.push(spaced.clone());
        } else if let (Some(old_glance), Some(old), Some(text)) = (
            self.glances.get_mut(id.0 as usize),
            self.entries.get_mut(id.0 as usize),
            self.spellings.get_mut(id.0 as usize),
        ) {
            *old_glance = glance;
            *old = entry;
            *text = spaced.clone();
        }
        self.ids.insert(spaced, id);
        id
    }

    fn analyse(&self, words: &[&str]) -> NameEntry {
        let joined: Box<str> = words.concat().into();
        let first = words.first().copied().unwrap_or_default();
        let mut nicknames: Vec<u16> = self.nicknames.sets(first).to_vec();
        nicknames.extend_from_slice(self.nicknames.sets(&joined));
        nicknames.sort_unstable();
        nicknames.dedup();
        let canonical = self.nicknames.canonical(first);
        let parts = if words.len() > 1 { words } else { &[] };
        NameEntry {
            words: words.iter().map(|word| mix::text(word)).collect(),
            parts: parts.iter().map(|word| Part::new(word)).collect(),
            sounds: words.iter().map(|word| self.sound(word)).collect(),
            nicknames: nicknames.into(),
            canonical: mix::text(canonical),
            initial: canonical.chars().next().unwrap_or(' '),
            joined,
            held: 0,
        }
    }

    /// Phonetic key of a plain word; a word without letters of the Latin alphabet is its own key.
    fn sound(&self, word: &str) -> u64 {
        if !word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return mix::text(word);
        }
        let code = self.sounder.double_metaphone(word).primary();
        if code.is_empty() {
            mix::text(word)
        } else {
            mix::text(&code)
        }
    }
}
