//! Slips of the key.

use crate::dice::Dice;

/// A text with one slip: a letter left out, doubled, exchanged with its neighbour or replaced by another.
pub(crate) fn text(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 2 {
        return text.to_owned();
    }
    let place = dice.below(letters.len() as u64) as usize;
    match dice.below(4) {
        0 => {
            letters.remove(place);
        }
        1 => {
            let letter = letters.get(place).copied().unwrap_or('e');
            letters.insert(place, letter);
        }
        2 => {
            let next = (place + 1).min(letters.len() - 1);
            letters.swap(place, next);
        }
        _ => {
            let other = char::from(b'a' + dice.below(26) as u8);
            if let Some(letter) = letters.get_mut(place) {
                *letter = other;
            }
        }
    }
    letters.into_iter().collect()
}

/// A number of `width` digits with one digit wrong, or two neighbours exchanged.
pub(crate) fn digits(number: &str, dice: &mut Dice) -> String {
    let mut digits: Vec<char> = number.chars().collect();
    let place = dice.below(digits.len() as u64) as usize;
    if dice.chance(0.35) && place + 1 < digits.len() {
        digits.swap(place, place + 1);
    } else if let Some(digit) = digits.get_mut(place) {
        let step = 1 + dice.below(9) as u32;
        let value = (digit.to_digit(10).unwrap_or(0) + step) % 10;
        *digit = char::from_digit(value, 10).unwrap_or('0');
    }
    digits.into_iter().collect()
}
