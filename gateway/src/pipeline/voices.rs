//! Whose directives count for a person who was several: links make one person of two, but nobody's directives are merged
//! (specs consent 8). Each person spoke for the records that were that person's when the directive was captured; what
//! each has said is decided for itself, and the stricter result applies. A directive captured after the link speaks for
//! the whole person: with it a person has reviewed the two.

use std::collections::{BTreeMap, BTreeSet};

use tandem_mappings::model::directive::{Directive, SubjectKey};
use tandem_mappings::model::id::{PersonId, RecordKey};

use crate::state::directive::DirectiveDoc;
use crate::state::record::RecordDoc;
use crate::store::{StoreError, Tx};

/// What one of the persons has said who are one by now.
#[derive(Debug, Default)]
struct Voice {
    records: BTreeSet<RecordKey>,
    directives: Vec<Directive>,
}

/// The directives about a person, apart for each of the persons who spoke before links made them one. One empty set when
/// nobody has spoken: then nothing but the law decides.
///
/// # Errors
/// When the store fails.
pub async fn of(
    tx: &mut Tx,
    subject: &SubjectKey,
    records: &[RecordDoc],
) -> Result<Vec<Vec<Directive>>, StoreError> {
    let mut found: BTreeMap<String, DirectiveDoc> = BTreeMap::new();
    for record in records {
        let key = RecordDoc::key_of(&record.key);
        for document in tx.find::<DirectiveDoc>("directive.record", &key).await? {
            found.insert(document.directive.id.as_str().to_owned(), document);
        }
    }
    let mut documents: Vec<DirectiveDoc> = found.into_values().collect();
    documents.sort_by_key(|document| document.link_version);
    let mut voices: Vec<Voice> = Vec::new();
    for document in documents {
        hear(&mut voices, document, subject, records);
    }
    if voices.is_empty() {
        return Ok(vec![Vec::new()]);
    }
    Ok(voices.into_iter().map(|voice| voice.directives).collect())
}

/// Gives a directive to everybody for whom it speaks.
fn hear(
    voices: &mut Vec<Voice>,
    document: DirectiveDoc,
    subject: &SubjectKey,
    records: &[RecordDoc],
) {
    let meant = meant(&document, records);
    let mut directive = document.directive;
    directive.subject = subject.clone();
    let spoken: BTreeSet<RecordKey> = voices
        .iter()
        .flat_map(|voice| voice.records.iter().cloned())
        .collect();
    // A record that had said nothing goes with the person to whom it was linked.
    let silent: BTreeSet<RecordKey> = meant.difference(&spoken).cloned().collect();
    let mut is_heard = false;
    for voice in voices
        .iter_mut()
        .filter(|voice| !voice.records.is_disjoint(&meant))
    {
        voice.directives.push(directive.clone());
        voice.records.extend(silent.iter().cloned());
        is_heard = true;
    }
    if !is_heard {
        voices.push(Voice {
            records: silent,
            directives: vec![directive],
        });
    }
}

/// The records that were the directive's person when it was captured.
fn meant(document: &DirectiveDoc, records: &[RecordDoc]) -> BTreeSet<RecordKey> {
    let version = document.link_version;
    let persons: BTreeSet<PersonId> = records
        .iter()
        .filter(|record| document.covers.contains(&record.key))
        .map(|record| record.person_at(version))
        .collect();
    records
        .iter()
        .filter(|record| persons.contains(&record.person_at(version)))
        .map(|record| record.key.clone())
        .collect()
}
