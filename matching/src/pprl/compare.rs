//! How alike two encodings are.
//!
//! The usual similarity of Bloom filters is Dice's (Schnell et al. 2009). It punishes what one side does not know, and most
//! records of human services lack something. Here the positions that both inserted are estimated from the bits that are
//! clear (Swamidass and Baldi 2007), and a pair pays a toll only for the fields that both know.

use super::encode::Encoding;
use super::filter::BITS;
use super::noise::Noise;

/// The least share of clear bits that is believed: a full filter tells nothing.
const LEAST_CLEAR: f64 = 0.5 / BITS as f64;

/// Positions shared beyond the toll of the fields that both know: the more, the rather one person.
pub(super) fn score(one: &Encoding, one_noise: Noise, two: &Encoding, two_noise: Noise) -> f64 {
    common_positions(one, one_noise, two, two_noise) - one.known.toll(two.known)
}

/// About how many positions both have inserted.
pub(super) fn common_positions(
    one: &Encoding,
    one_noise: Noise,
    two: &Encoding,
    two_noise: Noise,
) -> f64 {
    let share = |bits: u32| f64::from(bits) / BITS as f64;
    let (set_one, set_two) = (share(one.filter.count()), share(two.filter.count()));
    let set_both = share(one.filter.common(&two.filter));
    let (flip_one, flip_two) = (one_noise.flip(), two_noise.flip());
    // Observed shares by the two bits, then what they were before the flips.
    let (only_one, only_two) = (set_one - set_both, set_two - set_both);
    let neither = 1.0 - set_one - only_two;
    let clear = (1.0 - flip_one) * (1.0 - flip_two) * neither
        - (1.0 - flip_one) * flip_two * only_two
        - flip_one * (1.0 - flip_two) * only_one
        + flip_one * flip_two * set_both;
    let (kept_one, kept_two) = (1.0 - 2.0 * flip_one, 1.0 - 2.0 * flip_two);
    let believed = |share: f64| share.max(LEAST_CLEAR);
    let clear_one = believed((1.0 - set_one - flip_one) / kept_one);
    let clear_two = believed((1.0 - set_two - flip_two) / kept_two);
    let clear_both = believed(clear / (kept_one * kept_two));
    BITS as f64 * (clear_both / (clear_one * clear_two)).ln()
}
