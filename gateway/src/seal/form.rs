//! The forms of sealed values: each names the key that sealed it.
//!
//! | first byte | then | is |
//! |---|---|---|
//! | 1 | nonce, ciphertext | sealed by key 1 |
//! | 2 | number of the key (4 bytes, the most significant first), nonce, ciphertext | sealed by that key |
//! | 3 | the same | sealed anew by that key; holds the value as it was sealed first |
//!
//! The nonce has 24 bytes. In the two later forms the bytes before it are part of the associated data.

/// Bytes of a nonce.
pub(super) const NONCE: usize = 24;
/// Bytes of the beginning in which the first form of a value differs from any other of that form, and in which any form
/// names its key.
pub const HEAD: usize = 5;
/// Bytes of the beginning that no two sealings share: a nonce stands in them, or most of one.
pub const UNIQUE: usize = 25;

/// The first form: of key 1.
pub(crate) const FIRST: u8 = 1;
const NUMBERED: u8 = 2;
const KEEPING: u8 = 3;

/// A sealed value, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    /// The number of the key.
    pub(super) number: u32,
    /// Whether it holds the value as it was sealed first.
    pub(super) keeps_first: bool,
    /// What stands before the nonce and is bound by the sealing.
    pub(super) bound: &'a [u8],
    /// The nonce.
    pub(super) nonce: &'a [u8; NONCE],
    /// The ciphertext.
    pub(super) text: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes a sealed value apart; `None` when it is of no known form.
    pub(super) fn of(sealed: &'a [u8]) -> Option<Self> {
        let number = key_of(sealed)?;
        let (&form, after_form) = sealed.split_first()?;
        let (bound, rest): (&[u8], &[u8]) = if form == FIRST {
            (&[], after_form)
        } else {
            sealed.split_at_checked(HEAD)?
        };
        let (nonce, text) = rest.split_first_chunk()?;
        Some(Self {
            number,
            keeps_first: form == KEEPING,
            bound,
            nonce,
            text,
        })
    }
}

/// The key that a sealed value names, by its first bytes; `None` when they are of no known form.
#[must_use]
pub fn key_of(sealed: &[u8]) -> Option<u32> {
    match sealed {
        [FIRST, ..] => Some(1),
        [NUMBERED | KEEPING, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// How a value begins that a key seals.
pub(super) fn head(number: u32, keeps_first: bool) -> Vec<u8> {
    let form = match (number, keeps_first) {
        (1, false) => return vec![FIRST],
        (_, false) => NUMBERED,
        (_, true) => KEEPING,
    };
    let mut head = vec![form];
    head.extend_from_slice(&number.to_be_bytes());
    head
}

/// What of a head is bound: nothing in the first form, which had none.
pub(super) fn bound(head: &[u8]) -> &[u8] {
    if head.len() == HEAD { head } else { &[] }
}
