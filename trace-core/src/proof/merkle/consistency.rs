//! Consistency: a tree is an older one with leaves appended. RFC 9162 section
//! 2.1.4.

use super::tree::{range_root, split};
use super::{Hash, Nodes, Unproved, empty_root, node_hash};
use crate::error::Verify;

/// The proof that the tree of the first `size2` leaves extends that of the
/// first `size1`, from complete nodes (section 2.1.4.1). Empty when `size1` is
/// 0 or both are equal.
///
/// # Errors
/// `Unproved::Range` when `size1` is above `size2`, `Unproved::Nodes` when a
/// node cannot be read.
pub fn prove_consistency<N: Nodes>(
    nodes: &N,
    size1: u64,
    size2: u64,
) -> Result<Vec<Hash>, Unproved<N::Error>> {
    if size1 > size2 {
        return Err(Unproved::range(format!(
            "consistency of size {size1} with size {size2}"
        )));
    }
    if size1 == 0 {
        return Ok(Vec::new());
    }
    // From the root down, towards the node on the newer tree whose end is the
    // older tree's. While we have only gone left, that node would be the whole
    // older tree, whose root the verifier has.
    let (mut begin, mut end) = (0, size2);
    let mut path = Vec::new();
    while end != size1 {
        let Some(left_width) = split(end - begin) else {
            break;
        };
        let middle = begin + left_width;
        if size1 <= middle {
            path.push(range_root(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(nodes, begin, middle)?);
            begin = middle;
        }
    }
    if begin != 0 {
        path.push(range_root(nodes, begin, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that the tree of `size2` leaves with `root2` extends the tree of
/// `size1` leaves with `root1` (section 2.1.4.2).
///
/// Everything extends the empty tree, so with `size1` 0 a pass says nothing
/// about `root2` (unless `size2` is 0 too).
///
/// # Errors
/// `Verify::Proof` when `size1` is above `size2`, the path is not of exactly
/// the right length, or it leads to another pair of roots.
pub fn verify_consistency(
    size1: u64,
    size2: u64,
    root1: &Hash,
    root2: &Hash,
    path: &[Hash],
) -> Result<(), Verify> {
    let refuse = |why: &str| Verify::Proof {
        why: format!("consistency of size {size1} with size {size2}: {why}"),
    };
    if size1 > size2 {
        return Err(refuse("the older tree is the larger"));
    }
    if size1 == 0 && *root1 != empty_root() {
        return Err(refuse("the older root is not that of the empty tree"));
    }
    if size1 == 0 || size1 == size2 {
        if !path.is_empty() {
            return Err(refuse("the path is too long"));
        }
        if size1 == size2 && root1 != root2 {
            return Err(refuse(&format!("roots {root1} and {root2} differ")));
        }
        return Ok(());
    }
    // From here on 0 < size1 < size2. Steps 1 and 2: the first hash, which both
    // trees share, is the older root itself when that tree is complete.
    let (first, rest) = if size1.is_power_of_two() {
        if path.is_empty() {
            return Err(refuse("the path is too short"));
        }
        (root1, path)
    } else {
        path.split_first()
            .ok_or_else(|| refuse("the path is too short"))?
    };
    // Steps 3 and 4: up to the level of that shared node.
    let levels = (size1 - 1).trailing_ones();
    // `size1 - 1` is below `u64::MAX`, so there are at most 63 trailing ones.
    let mut node = (size1 - 1) >> levels;
    let mut last = (size2 - 1) >> levels;
    // Step 5.
    let mut older = *first;
    let mut newer = *first;
    // Step 6.
    for sibling in rest {
        if last == 0 {
            return Err(refuse("the path is too long"));
        }
        if node & 1 == 1 || node == last {
            older = node_hash(sibling, &older);
            newer = node_hash(sibling, &newer);
            // As in inclusion: node equals last here, so it is not 0.
            if node & 1 == 0 {
                let levels = node.trailing_zeros();
                node >>= levels;
                last >>= levels;
            }
        } else {
            newer = node_hash(&newer, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    // Step 7.
    if last != 0 {
        return Err(refuse("the path is too short"));
    }
    if older != *root1 {
        return Err(refuse(&format!(
            "it leads to older root {older}, wanted {root1}"
        )));
    }
    if newer != *root2 {
        return Err(refuse(&format!(
            "it leads to newer root {newer}, wanted {root2}"
        )));
    }
    Ok(())
}
