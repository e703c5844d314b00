//! The form in which codes are compared.

/// A diagnosis code of ICD-10-CM in capitals without its dot, such as `F1120`; `None` when it is none (ICD-10-CM
/// guidelines, section I.A.2: three to seven characters, a letter first, a digit second).
#[must_use]
pub fn icd_form(code: &str) -> Option<String> {
    let bare: String = code
        .trim()
        .chars()
        .filter(|letter| *letter != '.')
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let bytes = bare.as_bytes();
    let fits = (3..=7).contains(&bytes.len())
        && bytes.first().is_some_and(u8::is_ascii_uppercase)
        && bytes.get(1).is_some_and(u8::is_ascii_digit)
        && bytes.iter().all(u8::is_ascii_alphanumeric);
    fits.then_some(bare)
}

/// Whether a code without a system is written as a diagnosis is: `F11.20`, `B20`.
#[must_use]
pub fn is_icd(code: &str) -> bool {
    let dots = code.matches('.').count();
    let at = code.trim().find('.');
    icd_form(code).is_some() && dots <= 1 && at.is_none_or(|at| at == 3)
}

/// Whether a code lies within a range of codes that are compared by their first characters.
pub(super) fn begins_within(code: &str, first: &str, last: &str) -> bool {
    let head = |length: usize| code.get(..length);
    head(first.len()).is_some_and(|head| head >= first)
        && head(last.len()).is_some_and(|head| head <= last)
}

/// Whether a code lies within a range of codes of one length that are compared as they stand.
pub(super) fn is_within(code: &str, first: &str, last: &str) -> bool {
    code.len() == first.len() && code >= first && code <= last
}
