// A bundle checked whole: who speaks, what stands in the log, whether the
// statement and the records agree, and only then what they say.
//
// A pass proves every record that the bundle carries. That none was withheld
// is the operator's statement.

import { fromBase64, fromUtf8, isHash, refuse, toHex } from "./bytes.js";
import { readCode, readDay } from "./code.js";
import { judge } from "./judge.js";
import { openCheckpoint, openCompleteness, readAnchor, sameLog } from "./note.js";
import { readBody, readEntry, subjects } from "./record.js";
import { Replay } from "./replay.js";
import { leafHash, verifyInclusion } from "./tree.js";

const BUNDLE_BYTES_MAX = 16 << 20;
const BUNDLE_RECORDS_MAX = 4096;

const malformed = (why) => refuse("malformed", `bundle: ${why}`);

/** The fields of a bundle of each version known here, in their order. Readings
 * of temperature (version 2) are compressed in a way that no browser reads:
 * they are carried, not checked, and whoever shows the verdict says so. */
const FIELDS = ["version", "code", "checkpoint", "completeness", "records"];
const FIELDS_OF = new Map([
  [1, FIELDS],
  [2, [...FIELDS, "temperatures"]],
]);
const RECORD_FIELDS = ["index", "entry", "path"];

const hasFields = (object, fields) =>
  object !== null && typeof object === "object" && Object.keys(object).join() === fields.join();

/** Reads a bundle's bytes in their one spelling. */
export const readBundle = (bytes) => {
  if (bytes.length > BUNDLE_BYTES_MAX) malformed(`${bytes.length} bytes`);
  const text = fromUtf8(bytes);
  let file = null;
  try {
    file = JSON.parse(text);
  } catch {
    malformed("no JSON");
  }
  const version = file?.version;
  const fields = FIELDS_OF.get(version);
  if (Number.isInteger(version) && version >= 0 && !fields) {
    refuse("cannot_check", `a bundle of version ${version}, wanted 1 or 2`);
  }
  if (!fields || !hasFields(file, fields) || !Array.isArray(file.records)) malformed("other fields");
  const code = typeof file.code === "string" ? readCode(file.code) : null;
  if (code === null || typeof file.checkpoint !== "string" || typeof file.completeness !== "string") {
    malformed("code or notes");
  }
  if (file.records.length > BUNDLE_RECORDS_MAX) malformed(`${file.records.length} records`);
  const records = file.records.map((record) => {
    if (!hasFields(record, RECORD_FIELDS) || !Array.isArray(record.path)) malformed("a record's fields");
    const { index, entry } = record;
    if (!Number.isSafeInteger(index) || index < 0 || typeof entry !== "string") malformed("a record's index or entry");
    const path = record.path.map((node) => (typeof node === "string" ? fromBase64(node) : null));
    const read = fromBase64(entry);
    if (read === null || !path.every(isHash)) malformed("base 64");
    return { index, entry: read, path };
  });
  if (JSON.stringify(file) !== text) malformed("not in its one spelling");
  if (records.some(({ index }, at) => at > 0 && records[at - 1].index >= index)) malformed("records out of order");
  const { checkpoint, completeness } = file;
  return { code, codeText: file.code, checkpoint, completeness, records, hasReadings: version === 2 };
};

/** Every record is in the log where it says, and the first is the anchor's. */
const included = (records, anchor, { size, root }) => {
  if (records[0]?.index !== 0) refuse("incomplete", "leaf 0, from which every right follows");
  const leaf0 = toHex(leafHash(records[0].entry));
  if (leaf0 !== anchor.leaf0) refuse("wrong_ledger", `leaf 0 ${leaf0}, wanted ${anchor.leaf0}`);
  return records.map(({ index, entry, path }) => {
    verifyInclusion(leafHash(entry), index, size, path, root);
    return readEntry(entry, index);
  });
};

/** What a record registers a part of; a body that cannot be read is the replay's
 * to refuse. */
const partOf = (entry, kinds) => {
  if (kinds.get(entry.number)?.name !== "equipment_registered") return null;
  try {
    return readBody(entry, kinds).value.part_of;
  } catch {
    return null;
  }
};

/** The bundle holds exactly what is stated of each subject, and something is
 * stated of the unit and of every key that signed. */
const heldAsStated = (code, entries, stated, kinds) => {
  const held = new Map([...stated.keys()].map((subject) => [subject, new Set()]));
  for (const entry of entries) {
    for (const subject of entry.about) held.get(subject)?.add(entry.index);
    const whole = partOf(entry, kinds);
    if (whole !== null) held.get(subjects.parts(whole))?.add(entry.index);
  }
  for (const [subject, indexes] of stated) {
    const own = held.get(subject);
    const missing = [...indexes].find((index) => !own.has(index));
    if (missing !== undefined) refuse("incomplete", `record ${missing}, listed about subject ${subject}, is left out`);
    const extra = [...own].find((index) => !indexes.has(index));
    if (extra !== undefined) refuse("fork", `record ${extra} is about subject ${subject}, of which it is stated not to be`);
  }
  if (!stated.has(subjects.unit(code))) refuse("incomplete", `nothing is stated about unit ${code}`);
  for (const { key, index } of entries) {
    if (!stated.has(subjects.key(key))) refuse("incomplete", `nothing is stated about key ${key} of record ${index}`);
  }
};

/** The certificate numbers of the unit that a record names. */
const numbersOf = (code, claims) =>
  claims.flatMap((claim) => {
    const named = {
      certifies: claim.unit === code && claim.number,
      hands_over: claim.unit === code && claim.certificate,
      checks_in: claim.unit === code && claim.certificate,
      voids: claim.unit === code && claim.number,
    }[claim.type];
    if (claim.type !== "supersedes") return named ? [named] : [];
    return [...(claim.unit === code ? [claim.number] : []), ...(claim.toUnit === code ? [claim.toNumber] : [])];
  });

/** The records about the unit and all its certificates. */
const aboutUnit = (code, records, stated) => {
  const about = new Set(stated.get(subjects.unit(code)));
  for (const number of records.flatMap(({ claims }) => numbersOf(code, claims))) {
    const own = stated.get(subjects.certificate(number));
    if (!own) refuse("incomplete", `nothing is stated about certificate ${number}`);
    for (const index of own) about.add(index);
  }
  return about;
};

/** The published schemas as a table by kind's number. */
export const kindsOf = (schemas) => new Map(schemas.map((kind) => [kind.number, kind]));

/** Checks a bundle's bytes under an anchor, by published schemas, as of a day.
 * `how` is "noble" to leave WebCrypto aside.
 *
 * Throws `Refused` with the offline verifier's own word for what is wrong. */
export const checkBundle = async (bytes, anchorText, kinds, asOf, how = null) => {
  const anchor = readAnchor(anchorText);
  const bundle = readBundle(bytes);
  const checkpoint = await openCheckpoint(bundle.checkpoint, anchor, how);
  const entries = included(bundle.records, anchor, checkpoint);
  const statement = await openCompleteness(bundle.completeness, anchor, how);
  sameLog(statement, checkpoint);
  const stated = statement.subjects;
  heldAsStated(bundle.code, entries, stated, kinds);
  const replay = new Replay(bundle.code, anchor, stated, kinds, how);
  for (const entry of entries) await replay.append(entry);
  const about = aboutUnit(bundle.code, replay.records, stated);
  const judgement = judge(bundle.code, replay, readDay(asOf));
  return {
    code: bundle.codeText,
    hasReadings: bundle.hasReadings,
    anchor,
    checkpoint,
    judgement,
    about,
    records: replay.records,
    latestMs: replay.admittedMs,
    offset: replay.state.policy?.civil_offset_minutes ?? 0,
    unit: replay.state.unit(bundle.code),
    entities: namesOf(replay.records),
  };
};

/** The registered names of firms; a household has none in the clear. */
const namesOf = (records) =>
  new Map(
    records.filter(({ kind }) => kind.name === "entity_registered").map(({ value }) => [value.entity, value.name]),
  );
