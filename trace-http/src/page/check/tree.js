// The Merkle tree of RFC 6962: leaves, inclusion and consistency (RFC 9162,
// sections 2.1.3.2 and 2.1.4.2).

import { hashOf, refuse, sameBytes, toHex } from "./bytes.js";

export const leafHash = (entry) => hashOf(Uint8Array.of(0), entry);

const nodeHash = (left, right) => hashOf(Uint8Array.of(1), left, right);

export const EMPTY_ROOT = toHex(hashOf());

/** Indexes and sizes are numbers below 2^53: bitwise operators would cut them. */
const half = (number) => Math.floor(number / 2);
const isOdd = (number) => number % 2 === 1;

export const verifyInclusion = (leaf, index, size, path, root) => {
  const wrong = (why) => refuse("proof", `inclusion of index ${index} in size ${size}: ${why}`);
  if (index >= size) wrong("there is no such index");
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) wrong("the path is too long");
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) wrong("the path is too short");
  if (!sameBytes(hash, root)) wrong(`it leads to ${toHex(hash)}, wanted ${toHex(root)}`);
};

export const verifyConsistency = (size1, size2, root1, root2, path) => {
  const wrong = (why) => refuse("proof", `consistency of size ${size1} with size ${size2}: ${why}`);
  if (size1 > size2) wrong("the older tree is the larger");
  if (size1 === 0 || size1 === size2) {
    if (path.length > 0) wrong("there is nothing to prove, and yet a path");
    if (size1 === size2 && !sameBytes(root1, root2)) wrong("one size, two roots");
    return;
  }
  let [node, last] = [size1 - 1, size2 - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  const rest = [...path];
  const first = node === 0 ? root1 : rest.shift();
  if (first === undefined) wrong("the path is too short");
  let [old, now] = [first, first];
  for (const sibling of rest) {
    if (last === 0) wrong("the path is too long");
    if (isOdd(node) || node === last) {
      old = nodeHash(sibling, old);
      now = nodeHash(sibling, now);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      now = nodeHash(now, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) wrong("the path is too short");
  if (!sameBytes(old, root1)) wrong("it does not lead to the older root");
  if (!sameBytes(now, root2)) wrong("it does not lead to the newer root");
};
