//! A list that grows without moving what it holds: doubling a list of a million records would need twice the memory
//! for a moment.

/// Values on one shelf.
const SHELF: usize = 1 << 14;

/// Values addressed by number.
#[derive(Debug)]
pub(crate) struct Shelves<T>(Vec<Vec<T>>);

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Shelves<T> {
    pub(crate) fn len(&self) -> usize {
        match self.0.split_last() {
            Some((last, full)) => full.len() * SHELF + last.len(),
            None => 0,
        }
    }

    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        self.0.get(place / SHELF)?.get(place % SHELF)
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.0.get_mut(place / SHELF)?.get_mut(place % SHELF)
    }

    /// Puts a value in its place, or behind the last.
    pub(crate) fn set(&mut self, place: usize, value: T) {
        match self.get_mut(place) {
            Some(old) => *old = value,
            None => self.push(value),
        }
    }

    pub(crate) fn push(&mut self, value: T) {
        match self.0.last_mut().filter(|last| last.len() < SHELF) {
            Some(last) => last.push(value),
            None => {
                // A short list stays small; a long one takes whole shelves.
                let mut shelf = Vec::with_capacity(if self.0.is_empty() { 0 } else { SHELF });
                shelf.push(value);
                self.0.push(shelf);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_across_shelves() {
        let mut shelves = Shelves::default();
        for number in 0..SHELF * 2 + 5 {
            assert_eq!(shelves.len(), number);
            shelves.push(number);
        }
        for place in [0, SHELF - 1, SHELF, SHELF * 2, SHELF * 2 + 4] {
            assert_eq!(shelves.get(place), Some(&place));
        }
        assert_eq!(shelves.get(SHELF * 2 + 5), None);
        *shelves.get_mut(SHELF).unwrap() = 7;
        assert_eq!(shelves.get(SHELF), Some(&7));
    }
}
