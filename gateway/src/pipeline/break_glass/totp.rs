//! One-time codes by time: TOTP of RFC 6238 with HMAC-SHA-1, six digits and steps of 30 seconds, which every
//! authenticator speaks.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

/// Seconds of a step (RFC 6238, section 5.2).
const STEP: u64 = 30;
/// Steps before and after the present one of which a code is taken, for clocks that differ (RFC 6238, section 5.2).
const SKEW: u64 = 1;
/// Bytes of a secret: as long as the hash (RFC 4226, section 4, R6).
pub(crate) const SECRET_BYTES: usize = 20;

/// The present step.
pub(crate) fn step(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0) / STEP
}

/// The code of a step (RFC 4226, section 5.3; the moving factor is the step).
pub(crate) fn code(secret: &[u8], step: u64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last()? & 0x0f);
    let four: [u8; 4] = hash.get(offset..offset + 4)?.try_into().ok()?;
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    Some(format!("{:06}", number % 1_000_000))
}

/// The step whose code was presented, when it is one near the present. Every step is compared, in constant time.
pub(crate) fn step_of(secret: &[u8], presented: &str, now: Timestamp) -> Option<u64> {
    let present = step(now);
    let near = present.saturating_sub(SKEW)..=present.saturating_add(SKEW);
    near.fold(None, |found, step| {
        let expected = code(secret, step).unwrap_or_default();
        let is_same: bool = expected.as_bytes().ct_eq(presented.as_bytes()).into();
        if is_same && !expected.is_empty() {
            Some(step)
        } else {
            found
        }
    })
}

/// The secret as authenticators take it (RFC 4648, section 6, without padding).
pub(crate) fn base32(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, SHA-1; the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (second, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_second(second).unwrap();
            assert_eq!(code(secret, step(now)).unwrap(), expected, "{second}");
            assert_eq!(step_of(secret, expected, now), Some(step(now)));
        }
        assert_eq!(base32(secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_counts_for_a_step_before_and_after_its_own() {
        let secret = b"12345678901234567890";
        let at = |second| Timestamp::from_second(second).unwrap();
        let presented = code(secret, 100).unwrap();
        for (second, is_taken) in [
            (2_969, false),
            (2_970, true),
            (3_000, true),
            (3_059, true),
            (3_060, false),
        ] {
            let found = step_of(secret, &presented, at(second)).is_some();
            assert_eq!(found, is_taken, "{second}");
        }
        assert_eq!(step_of(secret, "", at(3_000)), None);
    }
}
