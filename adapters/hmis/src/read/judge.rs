//! Judges the text of one value: the form that takes its place, and what is odd about it.

use super::finding::Finding;
use crate::tables::ColumnType;
use crate::value;

/// Code of a value that is no hash where HashStatus says that all are.
const HASH_FORM: &str = "hash-form";
/// Code of text with characters that no text has.
const CONTROL: &str = "control-character";
const HASH_TEXT: &str = "a SHA-256 in hexadecimal, since HashStatus is 4";
/// The characters that an export strips from its data.
const STRIPPED: [char; 6] = ['<', '>', '[', ']', '{', '}'];

/// What `HashStatus` (list 1.5) says of names and SSNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hashing {
    /// 1: they are in clear.
    None,
    /// 4: SHA-256, in the form that the specification gives.
    Sha256,
    /// 2, 3: some other way.
    Other,
}

impl Hashing {
    pub(crate) fn of_status(code: &str) -> Self {
        match code {
            "1" | "" => Self::None,
            "4" => Self::Sha256,
            _ => Self::Other,
        }
    }
}

/// What is odd about a value.
pub(crate) enum Doubt {
    Unused(&'static str),
    Warning(&'static str),
    Info(&'static str),
}

/// The value that takes the place of what the file holds, if any, and what is odd.
pub(crate) type Judged = (Option<String>, Option<Doubt>);

impl Doubt {
    pub(crate) fn on(&self, line: u64) -> Finding {
        match self {
            Self::Unused(code) => Finding::unused(code, line),
            Self::Warning(code) => Finding::warning(code, line),
            Self::Info(code) => Finding::info(code, line),
        }
    }
}

/// A name's hash has 64 hexadecimal characters; an SSN's has its last four characters before them.
pub(crate) fn hash(held: &str, hashing: Hashing) -> Judged {
    let hash = match held.len() {
        68 => held.get(4..),
        _ => Some(held),
    };
    let is_hash = hash
        .is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_hash || hashing == Hashing::Other {
        return (None, None);
    }
    (Some(String::new()), Some(Doubt::Unused(HASH_FORM)))
}

/// The value in the specification's form, and what is odd about it.
pub(crate) fn typed(held: &str, kind: ColumnType, year: i16) -> Judged {
    if matches!(held.trim(), "" | "NULL" | "null") {
        return (Some(String::new()), Some(Doubt::Warning("null-text")));
    }
    let (canonical, is_exact) = match kind {
        ColumnType::Date => shown(value::date(held, year), |date| date.to_string()),
        ColumnType::Instant => shown(value::instant(held, year), value::instant_text),
        ColumnType::Whole => shown(value::whole(held), |number| number.to_string()),
        ColumnType::Money { signed } => shown(value::cents(held, signed), value::cents_text),
        ColumnType::Text(_) => (None, true),
    };
    let code = match kind {
        ColumnType::Date | ColumnType::Instant => "date-form",
        _ => "number-form",
    };
    match canonical {
        None if is_exact => (None, None),
        None => (Some(String::new()), Some(Doubt::Unused("bad-value"))),
        canonical => (canonical, Some(Doubt::Warning(code))),
    }
}

/// The specification's form of a value that stood in another one, and whether it stood in its own: a value that can't be
/// read is neither.
fn shown<T>(
    read: Option<value::Read<T>>,
    text: impl FnOnce(T) -> String,
) -> (Option<String>, bool) {
    match read {
        None => (None, false),
        Some(read) if read.is_exact => (None, true),
        Some(read) => (Some(text(read.value)), false),
    }
}

pub(crate) fn text(held: &str, length: usize) -> Judged {
    let trimmed = held.trim();
    let value = (trimmed.len() != held.len()).then(|| trimmed.to_owned());
    let doubt = if trimmed.len() > length && trimmed.chars().count() > length {
        Some(Doubt::Warning("too-long"))
    } else if trimmed.bytes().any(is_control) {
        Some(Doubt::Warning(CONTROL))
    } else if trimmed.contains(STRIPPED) {
        Some(Doubt::Info("stripped-character"))
    } else {
        value.as_ref().map(|_| Doubt::Info("padding"))
    };
    (value, doubt)
}

/// A control character that no text has; line ends and tabs do stand in free text.
fn is_control(byte: u8) -> bool {
    byte == 0x7f || (byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t'))
}

/// Nine digits, `x` for each one unknown; a number that stands for nobody is blank.
pub(crate) fn ssn(held: &str) -> Judged {
    let digits: String = held
        .chars()
        .filter(|c| !matches!(c, '-' | ' ' | '\t'))
        .collect();
    let blank = Some(String::new());
    if digits.bytes().all(|b| matches!(b, b'0' | b'x' | b'X')) {
        return (
            blank,
            digits
                .contains('0')
                .then_some(Doubt::Warning("placeholder-ssn")),
        );
    }
    if digits.len() != 9
        || !digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'x' | b'X'))
    {
        return (blank, Some(Doubt::Unused("bad-value")));
    }
    let doubt = (digits.len() != held.len()).then_some(Doubt::Warning("ssn-form"));
    let lower = digits.to_ascii_lowercase();
    ((lower != held).then_some(lower), doubt)
}

/// What was expected in a column, where the value is odd in this way.
pub(crate) fn expected(doubt: &Doubt, kind: ColumnType) -> String {
    match kind {
        _ if matches!(doubt, Doubt::Unused(HASH_FORM)) => HASH_TEXT.to_owned(),
        _ if matches!(doubt, Doubt::Warning(CONTROL)) => {
            "text without control characters".to_owned()
        }
        ColumnType::Text(length) => format!("text of at most {length} characters"),
        ColumnType::Whole => "a non-negative whole number".to_owned(),
        ColumnType::Date => "YYYY-MM-DD".to_owned(),
        ColumnType::Instant => "YYYY-MM-DD hh:mm:ss".to_owned(),
        ColumnType::Money { signed: true } => "an amount with two decimals".to_owned(),
        ColumnType::Money { signed: false } => {
            "an amount with two decimals, not negative".to_owned()
        }
    }
}
