//! The tree over leaf hashes (RFC 6962, section 2.1).
//!
//! Kept are the roots of all complete subtrees, two hashes a leaf. A leaf is taken by its hash alone: at a start the
//! tree is built from the stored hashes, without the leaves, and nothing is hashed twice (`ct-merkle`'s own tree keeps
//! every leaf in memory and hashes the whole path again at each). Proofs made here are checked by `ct-merkle`.

use sha2::{Digest as _, Sha256};

/// A node's hash.
pub type Hash = [u8; 32];

/// An append-only tree.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// `levels[k][i]` is the root of the complete subtree over leaves `i * 2^k .. (i + 1) * 2^k`.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(nodes) = self.levels.get_mut(level) else {
                return;
            };
            nodes.push(node);
            match nodes.as_slice() {
                [.., left, right] if nodes.len() % 2 == 0 => node = parent(left, right),
                _ => return,
            }
        }
    }

    /// The hash of a leaf.
    #[must_use]
    pub fn leaf(&self, position: u64) -> Option<Hash> {
        self.node(0, position)
    }

    /// The root over the first `size` leaves; `None` when there are not so many.
    #[must_use]
    pub fn root(&self, size: u64) -> Option<Hash> {
        if size == 0 {
            // RFC 6962, section 2.1: the hash of nothing.
            return Some(Sha256::digest([]).into());
        }
        self.range(0, size)
    }

    /// The path that proves leaf `position` in the tree of `size` (RFC 6962, section 2.1.1); `None` when it is not in it.
    #[must_use]
    pub fn inclusion(&self, position: u64, size: u64) -> Option<Vec<Hash>> {
        if position >= size || size > self.size() {
            return None;
        }
        let (mut start, mut end, mut path) = (0, size, Vec::new());
        while end - start > 1 {
            let middle = start + split(end - start);
            if position < middle {
                path.push(self.range(middle, end)?);
                end = middle;
            } else {
                path.push(self.range(start, middle)?);
                start = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The nodes that prove that the tree of `new` leaves only added to that of `old` (RFC 6962, section 2.1.2); `None`
    /// when `old` is 0 or greater than `new`, or there are fewer than `new`.
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        if old == 0 || old > new || new > self.size() {
            return None;
        }
        let (mut start, mut end, mut path, mut is_whole) = (0, new, Vec::new(), true);
        while old != end {
            let middle = start + split(end - start);
            if old <= middle {
                path.push(self.range(middle, end)?);
                end = middle;
            } else {
                path.push(self.range(start, middle)?);
                start = middle;
                is_whole = false;
            }
        }
        if !is_whole {
            path.push(self.range(start, end)?);
        }
        path.reverse();
        Some(path)
    }

    /// The root over the leaves from `start` to before `end`, at least one; `start` is where a subtree of that width may
    /// begin.
    fn range(&self, start: u64, end: u64) -> Option<Hash> {
        let width = end.checked_sub(start).filter(|width| *width > 0)?;
        if width.is_power_of_two() {
            let level = width.trailing_zeros();
            return self.node(level as usize, start >> level);
        }
        let middle = start + split(width);
        Some(parent(
            &self.range(start, middle)?,
            &self.range(middle, end)?,
        ))
    }

    fn node(&self, level: usize, index: u64) -> Option<Hash> {
        let index = usize::try_from(index).ok()?;
        self.levels.get(level)?.get(index).copied()
    }
}

impl Extend<Hash> for Tree {
    fn extend<T: IntoIterator<Item = Hash>>(&mut self, leaves: T) {
        for leaf in leaves {
            self.push(leaf);
        }
    }
}

/// The largest power of two smaller than `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (u64::BITS - 1 - (width - 1).leading_zeros())
}

/// SHA-256 of a one byte and both children (RFC 6962, section 2.1).
fn parent(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};

    use super::*;
    use crate::leaf::leaf_hash;

    fn both(size: usize) -> (Tree, MemoryBackedTree<Sha256, String>) {
        let (mut ours, mut theirs) = (Tree::default(), MemoryBackedTree::new());
        for number in 0..size {
            let line = format!("leaf {number}");
            ours.push(leaf_hash(&line));
            theirs.push(line);
        }
        (ours, theirs)
    }

    #[test]
    fn roots_and_proofs_are_those_of_ct_merkle_at_every_size() {
        for size in 0..70 {
            let (ours, theirs) = both(size);
            assert_eq!(
                ours.root(size as u64).unwrap()[..],
                theirs.root().as_bytes()[..]
            );
            for position in 0..size {
                let path = ours
                    .inclusion(position as u64, size as u64)
                    .unwrap()
                    .concat();
                assert_eq!(path, theirs.prove_inclusion(position).as_bytes());
            }
            for old in 1..size {
                let path = ours.consistency(old as u64, size as u64).unwrap().concat();
                assert_eq!(path, theirs.prove_consistency(size - old).as_bytes());
            }
        }
    }

    #[test]
    fn proofs_over_a_smaller_tree_hold_for_its_root() {
        let (tree, _) = both(70);
        let root = |size| RootHash::<Sha256>::new(tree.root(size).unwrap().into(), size);
        for size in 1..=70 {
            let path = tree.inclusion(size - 1, size).unwrap().concat();
            let proof = InclusionProof::try_from_bytes(path).unwrap();
            let line = format!("leaf {}", size - 1);
            root(size)
                .verify_inclusion(&line, size - 1, &proof)
                .unwrap();
            let path = tree.consistency(size, 70).unwrap().concat();
            let proof = ConsistencyProof::try_from_bytes(path).unwrap();
            root(70).verify_consistency(&root(size), &proof).unwrap();
        }
        assert_eq!(tree.inclusion(70, 70), None);
        assert_eq!(tree.inclusion(0, 71), None);
        assert_eq!(tree.consistency(0, 70), None);
        assert_eq!(tree.consistency(3, 71), None);
        assert_eq!(tree.root(71), None);
    }

    #[test]
    fn the_empty_tree_and_one_leaf_have_the_roots_of_the_standard() {
        let mut tree = Tree::default();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex::encode(tree.root(0).unwrap()), empty);
        // RFC 6962 test vectors of the Certificate Transparency project: the leaf of no bytes.
        tree.push(leaf_hash(""));
        let one = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex::encode(tree.root(1).unwrap()), one);
    }
}
