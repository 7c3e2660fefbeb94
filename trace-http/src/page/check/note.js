// Signed notes (C2SP signed-note), the trust anchor, checkpoints and the
// completeness statement: read strictly, so that no byte could be another.

import { concat, fromBase64, fromHex, hashOf, isHash, refuse, toBase64, toHex, utf8 } from "./bytes.js";
import { keyFault, verifyStrict } from "./ed25519.js";
import { EMPTY_ROOT } from "./tree.js";

const NOTE_BYTES_MAX = 1 << 20;
const SIGNATURES_MAX = 16;
const STATED_SUBJECTS_MAX = 4096;
const U64_MAX = (1n << 64n) - 1n;

const malformed = (what, why) => refuse("malformed", `${what}: ${why}`);

const nameFault = (name) => name === "" || /[\p{White_Space}+\u0000-\u001f]/u.test(name);

/** `name+hash+key`, a plus and the hash of leaf 0. */
export const readAnchor = (text) => {
  const at = text.lastIndexOf("+");
  const leaf0 = text.slice(at + 1);
  if (at < 0 || !/^[0-9a-f]{64}$/.test(leaf0)) malformed("trust anchor", "no hash of leaf 0");
  const parts = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text.slice(0, at));
  const bytes = parts && fromBase64(parts[3]);
  if (!bytes || bytes.length === 0) malformed("verifier key", "wanted name+hash+key");
  if (bytes[0] !== 1) refuse("cannot_check", `verifier key of type ${bytes[0]}, wanted 1 (Ed25519)`);
  const [, name, stated] = parts;
  const key = bytes.subarray(1);
  if (key.length !== 32 || nameFault(name)) malformed("verifier key", "name or length");
  const fault = keyFault(key);
  if (fault) malformed("verifier key", fault);
  const id = toHex(hashOf(utf8(name), utf8("\n"), bytes).subarray(0, 4));
  if (stated !== id) malformed("verifier key", `key hash ${stated}, wanted ${id}`);
  return { name, key, id, leaf0 };
};

/** The text of a note that carries the ledger's signature and no other. */
export const openNote = async (note, anchor, how) => {
  const wrong = (why) => malformed("signed note", why);
  if (utf8(note).length > NOTE_BYTES_MAX) wrong("too long");
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) wrong("a control character");
  const split = note.lastIndexOf("\n\n");
  if (split < 0) wrong("no empty line between text and signatures");
  const [text, rest] = [note.slice(0, split + 1), note.slice(split + 2)];
  if (!rest.endsWith("\n")) wrong("the last line does not end in a newline");
  const lines = rest.slice(0, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) wrong("too many signatures");
  const read = lines.map((line) => {
    const parts = /^— ([^ ]*) (.*)$/s.exec(line);
    const bytes = parts && fromBase64(parts[2]);
    if (!bytes || bytes.length < 5 || nameFault(parts[1])) wrong("a signature line out of form");
    return { name: parts[1], id: toHex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
  });
  const own = read.filter((line) => line.name === anchor.name && line.id === anchor.id);
  for (const line of own) {
    const holds = await verifyStrict(anchor.key, utf8(text), line.signature, how);
    if (!holds) refuse("signature", `bad signature on note by ${line.name}`);
  }
  if (own.length < read.length) {
    const named = read.map((line) => `${line.name}+${line.id}`).join(", ");
    refuse("wrong_ledger", `signed by ${named}, wanted ${anchor.name}+${anchor.id} alone`);
  }
  if (own.length > 1) wrong("the ledger's key signed twice");
  return text;
};

/** A plain decimal number of 64 bits, or null. Beyond 2^53 it stays exact as
 * long as it is only compared: no log is so long. */
const plainNumber = (digits) =>
  /^(0|[1-9][0-9]*)$/.test(digits) && BigInt(digits) <= U64_MAX ? Number(digits) : null;

const readHead = (text) => {
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : [];
  if (lines.length !== 3) malformed("checkpoint", "wanted three lines: origin, size, root");
  const [origin, digits, encoded] = lines;
  if (!isOrigin(origin)) malformed("checkpoint", "origin");
  const [size, root] = [plainNumber(digits), fromBase64(encoded)];
  if (size === null || !isHash(root)) malformed("checkpoint", "size or root");
  if (size === 0 && toHex(root) !== EMPTY_ROOT) malformed("checkpoint", "a root of nothing");
  return { origin, size, root };
};

export const isOrigin = (text) => /^[a-z0-9./-]{1,64}$/.test(text);

const ownOrigin = (head, anchor) => {
  if (head.origin !== anchor.name) refuse("wrong_ledger", `found ${head.origin}, wanted ${anchor.name}`);
  return head;
};

export const openCheckpoint = async (note, anchor, how) =>
  ownOrigin(readHead(await openNote(note, anchor, how)), anchor);

const FIRST_LINE = "trace/complete/v1\n";

/** Subject id to the indexes stated about it, under which origin, size, root. */
export const openCompleteness = async (note, anchor, how) => {
  const wrong = (why) => malformed("completeness statement", why);
  const text = await openNote(note, anchor, how);
  if (!text.startsWith(FIRST_LINE)) wrong("the first line");
  const [origin, size, root, ...lines] = text.slice(FIRST_LINE.length).split("\n");
  if (root === undefined) wrong("no origin, size and root");
  const head = readHead(`${origin}\n${size}\n${root}\n`);
  if (lines.pop() !== "") wrong("the last line");
  const subjects = new Map();
  let before = "";
  for (const line of lines) {
    const parts = /^([0-9a-f]{64}) (0|[1-9][0-9]*)(?: ([0-9,]+))?$/.exec(line);
    if (!parts || parts[1] <= before) wrong("a line out of form or order");
    const indexes = parts[3] === undefined ? [] : parts[3].split(",").map(plainNumber);
    const isSorted = indexes.every((index, at) => index !== null && (at === 0 || indexes[at - 1] < index));
    if (!isSorted || indexes.length !== Number(parts[2])) wrong("indexes out of order or number");
    if (indexes.some((index) => index >= head.size)) wrong("an index beyond the size");
    before = parts[1];
    subjects.set(before, new Set(indexes));
  }
  if (subjects.size === 0 || subjects.size > STATED_SUBJECTS_MAX) wrong("how many subjects");
  return { ...ownOrigin(head, anchor), subjects };
};

/** The statement speaks of the checkpoint's log at its size. */
export const sameLog = (statement, checkpoint) => {
  if (statement.size !== checkpoint.size) {
    malformed("completeness statement", `made at size ${statement.size}, not ${checkpoint.size}`);
  }
  if (toHex(statement.root) !== toHex(checkpoint.root)) {
    refuse("fork", `size ${statement.size} with root ${toHex(statement.root)} and with root ${toHex(checkpoint.root)}`);
  }
};

/** What tells a ledger's key from another, for people to compare: the first
 * 16 bytes of its key id, in fours. */
export const fingerprint = (anchor) => {
  const id = hashOf(utf8("trace/key/v1\n"), Uint8Array.of(1), anchor.key);
  return toHex(id.subarray(0, 16)).match(/.{4}/g).join(" ");
};

export const keyIdOf = (publicHex) =>
  toHex(hashOf(utf8("trace/key/v1\n"), Uint8Array.of(1), fromHex(publicHex)));

export const rootText = (root) => toBase64(root);

export const subjectId = (type, code) =>
  toHex(hashOf(utf8("trace/subject/v1\n"), concat(Uint8Array.of(type, code.length), code)));
