//! The tree over leaf hashes (RFC 6962, section 2.1).
//!
//! Kept are the roots of complete subtrees. A leaf is taken by its hash alone: at a start the
//! tree is built from the stored hashes, without the leaves, and nothing is hashed twice (`ct-merkle`'s own tree keeps
//! every leaf in memory and hashes the whole path again at each). Proofs made here are checked by `ct-merkle`.
//!
//! A log grows for years. A lean tree keeps what is above its tiles of 256 leaves, a quarter of a byte a leaf, and the last tile, to which
//! leaves are added; for a proof it is lent the leaves of the one or two tiles that the proof goes into.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// A node's hash.
pub type Hash = [u8; 32];

/// The level of a tile's root.
const TILE: usize = 8;

/// Complete subtrees: `0[k][i]` is the root of the one over `i * 2^k .. (i + 1) * 2^k` of what was added.
#[derive(Debug, Clone, Default)]
struct Levels(Vec<Vec<Hash>>);

impl Levels {
    fn push(&mut self, added: Hash) {
        let mut node = added;
        for level in 0.. {
            if self.0.len() == level {
                self.0.push(Vec::new());
            }
            let Some(nodes) = self.0.get_mut(level) else {
                return;
            };
            nodes.push(node);
            match nodes.as_slice() {
                [.., left, right] if nodes.len() % 2 == 0 => node = parent(left, right),
                _ => return,
            }
        }
    }

    fn node(&self, level: usize, index: u64) -> Option<Hash> {
        let index = usize::try_from(index).ok()?;
        self.0.get(level)?.get(index).copied()
    }
}

/// An append-only tree.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Over the roots of the complete tiles.
    upper: Levels,
    /// Tiles that are kept or lent, by their number.
    tiles: BTreeMap<u64, Levels>,
    /// The tile to which leaves are added.
    open: Levels,
    size: u64,
    is_lean: bool,
}

impl Tree {
    /// A tree that keeps nothing of complete tiles but their roots.
    #[must_use]
    pub fn lean() -> Self {
        Self {
            is_lean: true,
            ..Self::default()
        }
    }

    /// Leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        self.open.push(leaf);
        if let Some(root) = self.open.node(TILE, 0) {
            let tile = std::mem::take(&mut self.open);
            if !self.is_lean {
                self.tiles.insert(self.size >> TILE, tile);
            }
            self.upper.push(root);
        }
        self.size += 1;
    }

    /// The first leaf of the tile that holds a leaf, and how many leaves it has, when it must be lent before a proof goes into it: a proof of
    /// a leaf goes into the leaf's tile, and any of a size into that of its last leaf.
    #[must_use]
    pub fn missing(&self, leaf: u64) -> Option<(u64, usize)> {
        let tile = leaf >> TILE;
        let is_here = tile >= self.size >> TILE || self.tiles.contains_key(&tile);
        (!is_here).then_some((tile << TILE, 1 << TILE))
    }

    /// Lends the leaves of a complete tile, until they are given back. Returns whether they are those that were added.
    pub fn lend(&mut self, first: u64, leaves: impl IntoIterator<Item = Hash>) -> bool {
        let mut tile = Levels::default();
        for leaf in leaves {
            tile.push(leaf);
        }
        let number = first >> TILE;
        let root = tile.node(TILE, 0);
        let is_same = root.is_some() && root == self.upper.node(0, number);
        if is_same {
            self.tiles.insert(number, tile);
        }
        is_same
    }

    /// Gives back what a lean tree was lent.
    pub fn give_back(&mut self) {
        if self.is_lean {
            self.tiles.clear();
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
        if let Some(above) = level.checked_sub(TILE) {
            return self.upper.node(above, index);
        }
        let below = TILE - level;
        let tile = index >> below;
        let levels = if tile == self.size >> TILE {
            &self.open
        } else {
            self.tiles.get(&tile)?
        };
        levels.node(level, index & ((1 << below) - 1))
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

    fn is_lent(tree: &mut Tree, whole: &Tree, leaf: u64) {
        if let Some((first, count)) = tree.missing(leaf) {
            let leaves = (first..first + count as u64).map(|leaf| whole.leaf(leaf).unwrap());
            assert!(tree.lend(first, leaves));
        }
    }

    #[test]
    fn a_lean_tree_proves_what_a_whole_one_does_once_it_is_lent_the_leaves() {
        let sizes = [1, 2, 255, 256, 257, 511, 512, 513, 700, 768, 1_000, 1_024];
        let (mut lean, mut whole) = (Tree::lean(), Tree::default());
        for number in 0..1_024 {
            let leaf = leaf_hash(&format!("leaf {number}"));
            lean.push(leaf);
            whole.push(leaf);
        }
        assert_eq!(
            lean.root(1_024),
            whole.root(1_024),
            "nothing is lent for the head"
        );
        assert_eq!(lean.root(700), None);
        for size in sizes {
            for other in sizes.into_iter().filter(|other| *other <= size) {
                for leaf in [size - 1, other - 1] {
                    is_lent(&mut lean, &whole, leaf);
                }
                assert_eq!(lean.root(size), whole.root(size));
                let (ours, theirs) = (
                    lean.inclusion(other - 1, size),
                    whole.inclusion(other - 1, size),
                );
                assert!(ours.is_some() && ours == theirs, "{other} of {size}");
                let (ours, theirs) = (
                    lean.consistency(other, size),
                    whole.consistency(other, size),
                );
                assert!(ours.is_some() && ours == theirs, "{other} to {size}");
                lean.give_back();
                assert!(lean.tiles.is_empty());
            }
        }
    }

    #[test]
    fn other_leaves_than_those_that_were_added_are_not_taken() {
        let mut lean = Tree::lean();
        let leaf = |number: u64| leaf_hash(&format!("leaf {number}"));
        lean.extend((0..600).map(leaf));
        assert_eq!(lean.missing(0), Some((0, 256)));
        assert_eq!(lean.missing(511), Some((256, 256)));
        assert_eq!(lean.missing(512), None, "the last tile is kept");
        let altered = |number| if number == 7 { [0; 32] } else { leaf(number) };
        assert!(!lean.lend(0, (0..256).map(altered)));
        assert!(!lean.lend(0, (0..255).map(leaf)));
        assert!(!lean.lend(256, (0..256).map(leaf)));
        assert!(lean.lend(0, (0..256).map(leaf)));
        assert!(lean.inclusion(7, 600).is_some());
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
