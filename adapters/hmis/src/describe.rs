//! What the adapter reads and writes, and the keys of what it makes at the partner.
//!
//! Effect key: the gateway's referral, in the form of an EventID. `TDM-` and the 26 characters of the referral's
//! 128 bits in base 32 make 30 of the 32 characters that the column holds. The form can be read back, so that a
//! partner's export tells which rows are ours, and of which referral, without asking anybody.

use tandem_adapter_port::format::Format;
use tandem_mappings::model::id::ReferralId;

/// The formats that the adapter reads.
pub const READS: &[Format] = &[Format::HmisCsv];
/// The formats that the adapter writes.
pub const WRITES: &[Format] = &[Format::HmisCsv];

/// What an HMIS can take.
pub const CAPABILITIES: &[&str] = &[
    "referral",
    "referral-result",
    "referral-withdrawal",
    "custom-rows",
];

/// Code system of original codes: the edition, then `LIST:CODE`.
pub const CODE_SYSTEM: &str = "hmis-2026";

const PREFIX: &str = "TDM-";
/// RFC 4648 base 32, without padding.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ENCODED_LENGTH: usize = 26;

/// The EventID under which a referral stands at the partner.
#[must_use]
pub fn event_id(referral: ReferralId) -> String {
    format!(
        "{PREFIX}{}",
        base32(u128::from_be_bytes(*referral.as_bytes()))
    )
}

/// The referral of an EventID that [`event_id`] made; `None` for the partner's own.
#[must_use]
pub fn referral_of(event_id: &str) -> Option<ReferralId> {
    let encoded = event_id.trim().strip_prefix(PREFIX)?;
    if encoded.len() != ENCODED_LENGTH {
        return None;
    }
    let mut value: u128 = 0;
    for (index, byte) in encoded.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        // 26 characters hold 130 bits: the first carries three.
        if index == 0 && digit > 7 {
            return None;
        }
        value = (value << 5) | u128::try_from(digit).ok()?;
    }
    let hex = format!("{value:032x}");
    hex.parse().ok()
}

/// 128 bits as 26 characters of base 32.
pub(crate) fn base32(value: u128) -> String {
    (0..ENCODED_LENGTH)
        .rev()
        .map(|place| {
            let digit = usize::try_from((value >> (5 * place)) & 31).unwrap_or(0);
            char::from(ALPHABET.get(digit).copied().unwrap_or(b'A'))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_referral_is_read_back_from_its_event_id(value in any::<u128>()) {
            let referral: ReferralId = format!("{value:032x}").parse().unwrap();
            let id = event_id(referral);
            prop_assert!(id.len() <= 32);
            prop_assert_eq!(referral_of(&id), Some(referral));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}") {
            let _ = referral_of(&text);
        }
    }

    #[test]
    fn the_partners_own_ids_are_not_ours() {
        for text in [
            "ev-8841",
            "0191f2aa00007000800000000000 0001",
            "TDM-",
            "TDM-ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
        ] {
            assert_eq!(referral_of(text), None, "{text}");
        }
    }
}
