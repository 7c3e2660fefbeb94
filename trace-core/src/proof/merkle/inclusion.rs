//! Inclusion: one leaf is at one place under a root. RFC 9162 section 2.1.3.

use super::tree::{range_root, split};
use super::{Hash, Nodes, Unproved, node_hash};
use crate::error::Verify;

/// The proof that leaf `index` is in the tree of the first `size` leaves, from
/// complete nodes: the siblings on the way from the leaf up (section 2.1.3.1).
///
/// # Errors
/// `Unproved::Range` when `index` is not below `size`, `Unproved::Nodes` when a
/// node cannot be read.
pub fn prove_inclusion<N: Nodes>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, Unproved<N::Error>> {
    if index >= size {
        return Err(Unproved::range(format!(
            "inclusion of index {index} in size {size}"
        )));
    }
    // From the root down: which half holds the leaf, and the root of the other.
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    while let Some(left_width) = split(end - begin) {
        let middle = begin + left_width;
        if index < middle {
            path.push(range_root(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(nodes, begin, middle)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Checks that the leaf with this hash is at `index` under the root of a tree
/// of `size` leaves (section 2.1.3.2).
///
/// A pass does not prove that the tree has `size` leaves: size and root belong
/// together only by a checkpoint that was signed.
///
/// # Errors
/// `Verify::Proof` when the index is not below the size, the path is not of
/// exactly the right length, or it leads to another root.
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), Verify> {
    let refuse = |why: &str| Verify::Proof {
        why: format!("inclusion of index {index} in size {size}: {why}"),
    };
    // Step 1.
    if index >= size {
        return Err(refuse("there is no such index"));
    }
    // Steps 2 and 3. `last` is the place of the last node on this level, `node`
    // that of the node whose hash is known; size is above index, so not 0.
    let mut node = index;
    let mut last = size - 1;
    let mut hash = *leaf_hash;
    // Step 4.
    for sibling in path {
        if last == 0 {
            return Err(refuse("the path is too long"));
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A last node without sibling stands unchanged on the levels above.
            // A left node that is not the last is never 0 here, as last is not.
            if node & 1 == 0 {
                let levels = node.trailing_zeros();
                node >>= levels;
                last >>= levels;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    // Step 5.
    if last != 0 {
        return Err(refuse("the path is too short"));
    }
    if hash != *root {
        return Err(refuse(&format!("it leads to {hash}, wanted {root}")));
    }
    Ok(())
}
