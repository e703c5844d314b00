//! A signature for rules: a signed note (C2SP signed-note) that names the bundle by its hash, the instant from which it
//! counts, and as what its signer signs.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use tandem_audit::{Note, NoteError, Signer};

use super::Signers;

/// First line of every approval: nothing else that somebody signs can be taken for one.
const TITLE: &str = "tandem policy approval v1";

/// As what somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedAs {
    /// Wrote the rules.
    Author,
    /// Read them and approves.
    Approver,
}

impl SignedAs {
    /// The word in a note.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Approver => "approver",
        }
    }
}

impl FromStr for SignedAs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Author, Self::Approver]
            .into_iter()
            .find(|one| one.code() == text)
            .ok_or_else(|| "expected author or approver".to_owned())
    }
}

/// Why signatures do not put rules in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// It is no signed note.
    #[error("approval: {0}")]
    Note(#[from] NoteError),
    /// The note says something else.
    #[error("approval: {0}")]
    Form(&'static str),
    /// It is for other rules.
    #[error("the approval of {signer} is for other rules: {bundle}")]
    OtherBundle {
        /// Who signed.
        signer: String,
        /// The bundle that was signed.
        bundle: String,
    },
    /// It is for another instant.
    #[error("author and approver signed for different instants")]
    OtherInstant,
    /// Nobody whom the county knows has signed it.
    #[error("the signature of the {0} is not by a key of the signers file")]
    Stranger(&'static str),
    /// A signature is missing.
    #[error("no signature by the {0}")]
    Missing(&'static str),
    /// One person signed twice.
    #[error("{0} signed as author and as approver: a different person must approve")]
    SamePerson(String),
}

/// What an approval says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Hash of the rules.
    pub bundle: String,
    /// As what its signer signs.
    pub signed_as: SignedAs,
    /// From when the rules are to count.
    pub effective_at: Timestamp,
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bundle,
            signed_as,
            effective_at,
        } = self;
        writeln!(f, "{TITLE}\nbundle {bundle}")?;
        writeln!(f, "as {}\neffective_at {effective_at}", signed_as.code())
    }
}

impl FromStr for Approval {
    type Err = ApprovalError;

    fn from_str(text: &str) -> Result<Self, ApprovalError> {
        let mut lines = text.lines();
        let mut after = |start: &str| lines.next().and_then(|line| line.strip_prefix(start));
        after(TITLE)
            .filter(|rest| rest.is_empty())
            .ok_or(ApprovalError::Form("expected an approval of rules"))?;
        let bundle = after("bundle ").ok_or(ApprovalError::Form("expected `bundle`"))?;
        let signed_as = after("as ").and_then(|text| text.parse().ok());
        let effective_at = after("effective_at ").and_then(|text| text.parse().ok());
        let approval = Self {
            bundle: bundle.to_owned(),
            signed_as: signed_as.ok_or(ApprovalError::Form("expected `as`"))?,
            effective_at: effective_at.ok_or(ApprovalError::Form("expected `effective_at`"))?,
        };
        // What is signed is the whole text: nothing may stand in it that is not read.
        if approval.to_string() == text {
            Ok(approval)
        } else {
            Err(ApprovalError::Form("holds more than an approval says"))
        }
    }
}

impl Approval {
    /// Signs it.
    #[must_use]
    pub fn sign(&self, key: &Signer) -> Note {
        let text = self.to_string();
        let signatures = vec![key.sign(&text, 0)];
        Note { text, signatures }
    }
}

/// Who signed for rules as author and as approver, and from when they are to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Who wrote them.
    pub author: String,
    /// Who approved them.
    pub approver: String,
    /// From when they count.
    pub effective_at: Timestamp,
}

/// Checks that two different people whom the county knows have signed for a bundle and one instant.
///
/// # Errors
/// [`ApprovalError`], which names what is missing.
pub fn check(bundle: &str, notes: &[String], signers: &Signers) -> Result<Approved, ApprovalError> {
    let mut found: [Option<(String, Timestamp)>; 2] = [None, None];
    for note in notes {
        let note = Note::parse(note)?;
        let approval: Approval = note.text.parse()?;
        let signed = note.signatures.iter();
        let mut known = signed.filter_map(|one| signers.who(&note.text, one));
        let word = approval.signed_as.code();
        let signer = known
            .next()
            .ok_or(ApprovalError::Stranger(word))?
            .to_owned();
        if approval.bundle != bundle {
            let bundle = approval.bundle;
            return Err(ApprovalError::OtherBundle { signer, bundle });
        }
        let [author, approver] = &mut found;
        let place = match approval.signed_as {
            SignedAs::Author => author,
            SignedAs::Approver => approver,
        };
        *place = Some((signer, approval.effective_at));
    }
    let [author, approver] = found;
    let (author, from) = author.ok_or(ApprovalError::Missing("author"))?;
    let (approver, until) = approver.ok_or(ApprovalError::Missing("approver"))?;
    if author == approver {
        return Err(ApprovalError::SamePerson(author));
    }
    if from != until {
        return Err(ApprovalError::OtherInstant);
    }
    Ok(Approved {
        author,
        approver,
        effective_at: from,
    })
}

#[cfg(test)]
mod tests {
    use tandem_audit::KeyKind;
    use zeroize::Zeroizing;

    use super::*;

    fn key(name: &str, seed: u8) -> Signer {
        Signer::new(name, KeyKind::Log, &Zeroizing::new([seed; 32])).unwrap()
    }

    fn signers(keys: &[&Signer]) -> Signers {
        let keys: Vec<String> = keys
            .iter()
            .map(|key| format!("\"{}\"", key.public()))
            .collect();
        toml::from_str(&format!("signers = [{}]", keys.join(","))).unwrap()
    }

    fn note(key: &Signer, signed_as: SignedAs, bundle: &str, day: &str) -> String {
        let approval = Approval {
            bundle: bundle.to_owned(),
            signed_as,
            effective_at: format!("{day}T08:00:00Z").parse().unwrap(),
        };
        approval.sign(key).to_string()
    }

    #[test]
    fn rules_need_two_people_who_sign_for_the_same_rules_and_the_same_instant() {
        use SignedAs::{Approver, Author};
        let (author, approver, stranger) =
            (key("counsel", 1), key("privacy", 2), key("someone", 3));
        let known = signers(&[&author, &approver]);
        let day = "2026-12-01";
        let good = [
            note(&author, Author, "sha256:a", day),
            note(&approver, Approver, "sha256:a", day),
        ];
        let approved = check("sha256:a", &good, &known).unwrap();
        assert_eq!(
            (approved.author.as_str(), approved.approver.as_str()),
            ("counsel", "privacy")
        );
        let refused = |notes: &[String], bundle: &str| check(bundle, notes, &known).unwrap_err();
        assert_eq!(
            refused(&good[..1], "sha256:a"),
            ApprovalError::Missing("approver")
        );
        assert!(matches!(
            refused(&good, "sha256:b"),
            ApprovalError::OtherBundle { .. }
        ));
        let alone = [good[0].clone(), note(&author, Approver, "sha256:a", day)];
        assert_eq!(
            refused(&alone, "sha256:a"),
            ApprovalError::SamePerson("counsel".to_owned())
        );
        let late = [
            good[0].clone(),
            note(&approver, Approver, "sha256:a", "2026-12-02"),
        ];
        assert_eq!(refused(&late, "sha256:a"), ApprovalError::OtherInstant);
        let strange = [good[0].clone(), note(&stranger, Approver, "sha256:a", day)];
        assert_eq!(
            refused(&strange, "sha256:a"),
            ApprovalError::Stranger("approver")
        );
        let moved = [good[0].replace("2026-12-01", "2026-11-01"), good[1].clone()];
        assert_eq!(
            refused(&moved, "sha256:a"),
            ApprovalError::Stranger("author")
        );
    }

    #[test]
    fn a_signed_text_that_says_more_than_an_approval_is_none() {
        let approval = "tandem policy approval v1\nbundle sha256:a\nas author\neffective_at 2026-12-01T08:00:00Z\n";
        assert!(approval.parse::<Approval>().is_ok());
        for other in [
            approval.replace("v1", "v2"),
            format!("{approval}unless it rains\n"),
            approval.replace("author", "reader"),
            approval.replace("2026-12-01", "soon"),
            "go.sum database tree\n".to_owned(),
        ] {
            assert!(other.parse::<Approval>().is_err(), "{other:?}");
        }
    }

    #[test]
    fn one_key_under_two_names_is_one_signer() {
        let (one, other) = (key("one", 7), key("two", 7));
        let text = format!("signers = [\"{}\", \"{}\"]", one.public(), other.public());
        assert!(toml::from_str::<Signers>(&text).is_err());
    }
}
