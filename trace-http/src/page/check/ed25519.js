// Ed25519 as strict as the ledger: a key canonical, not of small order and free
// of torsion; a signature with canonical S and R, R not of small order, and the
// equation without cofactor. Browsers differ in what they accept beyond RFC
// 8032, and @noble multiplies by the cofactor, so all of that is decided here
// and only the curve's arithmetic is theirs.

import { Point, sha512 } from "./noble.js";
import { concat, fromHex, toHex } from "./bytes.js";

const ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;

const numberOf = (bytes) => {
  let number = 0n;
  for (let at = bytes.length - 1; at >= 0; at -= 1) number = (number << 8n) | BigInt(bytes[at]);
  return number;
};

/** The point of 32 bytes in their one encoding, or null. */
const pointOf = (bytes) => {
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    return null;
  }
};

const accepted = new Map();

/** Why a key is not fit to be enrolled, or null where it is. */
export const keyFault = (bytes) => {
  const id = toHex(bytes);
  if (!accepted.has(id)) accepted.set(id, faultOf(bytes));
  return accepted.get(id);
};

const faultOf = (bytes) => {
  const point = pointOf(bytes);
  if (point === null) return "is not a point on the curve in its canonical encoding";
  if (point.isSmallOrder()) return "is a point of small order";
  if (!point.isTorsionFree()) return "has a part of small order";
  return null;
};

/** Whether the bytes are a point on the curve in any encoding. */
export const isPoint = (bytes) => {
  try {
    Point.fromBytes(bytes, true);
    return true;
  } catch {
    return false;
  }
};

let browserHas = null;

/** RFC 8032's first vector: key, signature of the empty message. */
const RIGHT = [
  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b" +
    "d25bf5f0595bbe24655141438e7a100b",
];

/** A signature of the empty message that holds only times the cofactor: its R
 * has a part of order 8. */
const COFACTORED = [
  "6f6ca5462ae560235abfc4bf18f762edd72bc1a7de9e49eec0aeb5ecaa8d37ce",
  "742ad0ba6320e013c4b8e9e7e94fbf87391cd552577028789ffa91cf1633f16be56bed97166f6d50d36ba19a4aab962f" +
    "0a4d369af50b53955d0b7f0ba56fdb0d",
];

/** Whether WebCrypto verifies Ed25519 here, and by the equation without
 * cofactor. */
export const hasWebCrypto = async () => {
  browserHas ??= (async () => {
    try {
      const [right, cofactored] = [RIGHT, COFACTORED].map((pair) => pair.map(fromHex));
      const nothing = new Uint8Array(0);
      return (
        (await byBrowser(right[0], nothing, right[1])) &&
        !(await byBrowser(right[0], Uint8Array.of(1), right[1])) &&
        !(await byBrowser(cofactored[0], nothing, cofactored[1]))
      );
    } catch {
      return false;
    }
  })();
  return browserHas;
};

const keys = new Map();

const byBrowser = async (key, message, signature) => {
  const id = toHex(key);
  const { subtle } = globalThis.crypto;
  if (!keys.has(id)) keys.set(id, subtle.importKey("raw", key, "Ed25519", false, ["verify"]));
  return subtle.verify("Ed25519", await keys.get(id), signature, message);
};

/** The points of small order, in their canonical encodings. */
const SMALL_ORDER = new Set(
  [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  ],
);

const FIELD = (1n << 255n) - 19n;
const SIGN = 1n << 255n;

/** Whether y is written in its one way. */
const isCanonical = (bytes) => {
  const number = numberOf(bytes);
  return (number >= SIGN ? number - SIGN : number) < FIELD;
};

const byNoble = (key, message, signature) => {
  const [a, r] = [pointOf(key), pointOf(signature.subarray(0, 32))];
  if (a === null || r === null) return false;
  const k = numberOf(sha512(concat(signature.subarray(0, 32), key, message))) % ORDER;
  const s = numberOf(signature.subarray(32));
  const ka = k === 0n ? Point.ZERO : a.multiply(k, false);
  const sb = s === 0n ? Point.ZERO : Point.BASE.multiply(s, false);
  return sb.equals(r.add(ka));
};

/** Whether the signature verifies under a key. `how` forces "noble" in tests. */
export const verifyStrict = async (key, message, signature, how = null) => {
  if (key.length !== 32 || signature.length !== 64) return false;
  const r = signature.subarray(0, 32);
  if (numberOf(signature.subarray(32)) >= ORDER) return false;
  if (![key, r].every((point) => isCanonical(point) && !SMALL_ORDER.has(toHex(point)))) return false;
  if (how !== "noble" && (await hasWebCrypto())) return byBrowser(key, message, signature);
  return byNoble(key, message, signature);
};
