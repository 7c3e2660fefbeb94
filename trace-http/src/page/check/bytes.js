// Bytes as they stand in evidence: hexadecimal, base 64 in its one spelling,
// text, hashes; and why evidence is refused.

import { sha256 } from "./noble.js";

/** Why evidence does not prove what it claims: one of the words of the offline
 * verifier, with the record's index where one is at fault. */
export class Refused extends Error {
  constructor(kind, why, index = null) {
    super(why);
    this.kind = kind;
    this.index = index;
  }
}

export const refuse = (kind, why, index) => {
  throw new Refused(kind, why, index);
};

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export const toHex = (bytes) => {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
};

export const fromHex = (text) => {
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
};

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const utf8 = (text) => ENCODER.encode(text);

/** Text of bytes, or null where they are none. */
export const fromUtf8 = (bytes) => {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
};

export const concat = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

export const sameBytes = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...SIGNS].map((sign, value) => [sign.charCodeAt(0), value]));

export const toBase64 = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const bits = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += SIGNS[bits >> 18] + SIGNS[(bits >> 12) & 63];
    text += left > 1 ? SIGNS[(bits >> 6) & 63] : "=";
    text += left > 2 ? SIGNS[bits & 63] : "=";
  }
  return text;
};

/** The bytes of a padded text in its one spelling (RFC 4648, section 4), or null. */
export const fromBase64 = (text) => {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let [bits, held, at] = [0, 0, 0];
  for (let place = 0; place < text.length - padding; place += 1) {
    const value = VALUES.get(text.charCodeAt(place));
    if (value === undefined) return null;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at] = (bits >> held) & 255;
      at += 1;
    }
  }
  const isWhole = (bits & ((1 << held) - 1)) === 0;
  return isWhole ? bytes : null;
};

/** SHA-256 of the parts, one after the other. */
export const hashOf = (...parts) => sha256(concat(...parts));

export const isHash = (bytes) => bytes !== null && bytes.length === 32;
