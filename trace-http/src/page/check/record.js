// Records: the layout of an entry (version 1), and what each kind of body is
// about and claims, as far as a bundle is judged by it. Kinds, their fields,
// signers and rule sets are read from the published schemas.

import { concat, fromHex, fromUtf8, hashOf, refuse, toHex, utf8 } from "./bytes.js";
import { ROOT } from "./code.js";
import { formFault } from "./form.js";
import { isOrigin, keyIdOf, subjectId } from "./note.js";
import { decode, encode } from "./postcard.js";

const ENTRY_BYTES_MAX = 16 * 1024;
const SUBJECTS_MAX = 64;
const MAGIC = utf8("trace/record/v1\n");

export const subjects = {
  unit: (code) => subjectId(1, fromHex(code)),
  certificate: (number) => subjectId(2, utf8(number)),
  equipment: (id) => subjectId(3, fromHex(id)),
  signer: (entity) => subjectId(4, fromHex(entity)),
  key: (key) => subjectId(5, fromHex(key)),
  marks: (code) => subjectId(6, fromHex(code)),
  conduct: (entity) => subjectId(7, fromHex(entity)),
  parts: (whole) => subjectId(8, fromHex(whole)),
};

/** Reads an entry's bytes; the body stays as it is. */
export const readEntry = (bytes, index) => {
  const wrong = (why) => refuse("inadmissible", why, index);
  if (bytes.length > ENTRY_BYTES_MAX) wrong(`an entry of ${bytes.length} bytes`);
  if (bytes.length < 8 + 65) wrong("an entry without room for a signature");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - 65;
  let at = 8;
  const take = (count) => {
    if (count > end - at) wrong("the signed bytes end early");
    at += count;
    return bytes.subarray(at - count, at);
  };
  if (!take(16).every((byte, place) => byte === MAGIC[place])) wrong("not a record of version 1");
  const origin = fromUtf8(take(take(1)[0]));
  if (origin === null || !isOrigin(origin)) wrong("no name of a ledger");
  const number = (take(2), view.getUint16(at - 2));
  const key = toHex(take(32));
  const sequence = (take(8), view.getBigUint64(at - 8));
  const link = toHex(take(32));
  take(8);
  const [count] = take(1);
  if (count > SUBJECTS_MAX) wrong(`${count} subjects`);
  const about = Array.from({ length: count }, () => toHex(take(32)));
  if (about.some((id, place) => place > 0 && about[place - 1] >= id)) wrong("subjects out of order");
  const length = (take(4), view.getUint32(at - 4));
  const bodyAt = at;
  const body = take(length);
  if (at !== end) wrong(`${end - at} bytes are left over`);
  if (bytes[end] !== 1) wrong(`algorithm ${bytes[end]}, wanted 1 (Ed25519)`);
  return {
    index,
    admittedMs: view.getBigUint64(0),
    signed: bytes.subarray(8, end),
    signature: bytes.subarray(end + 1),
    /** The signed bytes up to the body's length. */
    head: bytes.subarray(8, bodyAt - 4),
    hash: toHex(hashOf(bytes.subarray(8, end))),
    ...{ origin, number, key, sequence, link, about, body },
  };
};

/** What a body says: its kind, value, claims; the form and the subjects checked. */
export const readBody = (entry, kinds) => {
  const { index } = entry;
  const kind = kinds.get(entry.number);
  if (!kind) {
    const number = `0x${entry.number.toString(16).padStart(4, "0")}`;
    refuse("cannot_check", `record ${index} is of kind ${number}, which is unknown here`, index);
  }
  const value = decode(kind.public, entry.body);
  const fault = formFault(kind.name, value);
  if (fault) refuse("inadmissible", `${kind.name}: ${fault}`, index);
  const says = SAYS[kind.name];
  if (!says) refuse("cannot_check", `record ${index}: ${kind.name} is unknown here`, index);
  const wanted = [...new Set(says.about(value))].sort();
  if (wanted.join() !== entry.about.join()) refuse("inadmissible", "subjects_wrong", index);
  return { kind, value, claims: says.claims(value) };
};

/** What other keys sign to agree: the same bytes with nobody's agreement. */
export const countersignedMessage = (entry, kind, value) => {
  const bare = (struct) =>
    struct.countersignatures ? { ...struct, countersignatures: [] }
    : struct.certificate ? { ...struct, certificate: bare(struct.certificate) }
    : struct.elements ? { ...struct, elements: bare(struct.elements) }
    : struct;
  const body = encode(kind.public, bare(value));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, body.length);
  return concat(utf8("trace/countersign/v1\n"), entry.head, length, body);
};

export const countersignaturesOf = (value) =>
  (value.certificate?.countersignatures ? value.certificate : value.elements ?? value).countersignatures ?? [];

const unitOf = ({ unit }) => [subjects.unit(unit)];
const marked = ({ unit }) => [subjects.unit(unit), subjects.marks(unit)];
const certified = ({ unit, number }) => [subjects.unit(unit), subjects.certificate(number)];
const carried = ({ unit, certificate }) => [
  subjects.unit(unit),
  ...(certificate === null ? [] : [subjects.certificate(certificate)]),
];
const registered = ({ entity }) => [subjects.signer(entity)];
const keyed = (key) => (body) => [subjects.signer(body.entity), subjects.key(key(body))];
const byRoot = () => [subjects.signer(ROOT)];
const ofNobody = () => [];
const equipped = ({ equipment }) => [subjects.equipment(equipment)];
const kept = (body) => [...unitOf(body), ...equipped(body)];
const conducted = ({ entity }) => [subjects.conduct(entity)];
const sampled = ({ unit, entity }) => [...(unit === null ? [] : [subjects.unit(unit)]), subjects.conduct(entity)];

/** Nothing that rights or a verdict hang on. */
const nothing = () => [];
const within = ({ area }) => [{ type: "within", area }];

const certifies = (form) => (body) => [{
  type: "certifies",
  unit: body.unit,
  number: body.number,
  form: form(body),
  issuedOn: body.issued_on,
  expiresOn: body.expires_on ?? null,
}];
const promise = (form) => ({ about: certified, claims: certifies(() => form) });
const quarantine = (name) => ({
  about: ({ elements }) => certified(elements),
  claims: ({ elements }) => {
    const letter = elements.reach === "across_provinces" ? "a" : "b";
    return [{ type: "within", area: elements.origin_area }, ...certifies(() => `${name}_${letter}`)(elements)];
  },
});

const creates = (body, more) => ({
  type: "creates",
  unit: body.unit,
  maker: null,
  durability: body.durability,
  isDeclared: false,
  ...more,
});

const moves = (type) => (body) => [{
  type,
  unit: body.unit,
  onBehalfOf: body.on_behalf_of ?? null,
  certificate: body.certificate ?? null,
}];

const tests = (source) => (body) => [{
  type: "tests",
  source,
  unit: body.unit,
  area: body.area ?? null,
  on: body.tested_on ?? body.sampled_on,
  passed: body.passed,
  retestOf: body.retest_of,
}];

const marks = (type, more = () => ({})) => ({
  about: marked,
  claims: (body) => [{ type, unit: body.unit, ...more(body) }],
});
const target = (body) => ({ target: body.target });

/** Of every kind: the subjects that follow from its body, and its claims. */
const SAYS = {
  ledger_opened: {
    about: ({ root_keys }) => root_keys.map((key) => subjects.key(keyIdOf(key))),
    claims: (body) => [{ type: "opens", rootKeys: body.root_keys, policy: body.policy }],
  },
  entity_registered: {
    about: registered,
    claims: ({ entity, area }) => [{ type: "registers", entity, area }],
  },
  key_enrolled: {
    about: keyed((body) => keyIdOf(body.public_key)),
    claims: (body) => [{
      type: "enrols",
      entity: body.entity,
      key: body.public_key,
      possession: body.possession_r + body.possession_s,
      hosted: body.hosted,
    }],
  },
  key_revoked: {
    about: keyed((body) => body.key),
    claims: (body) => [{
      type: "revokes",
      entity: body.entity,
      key: body.key,
      from: body.compromised_from_index,
    }],
  },
  role_granted: {
    about: registered,
    claims: ({ entity, role, area }) => [{ type: "grants", entity, role, area }],
  },
  role_withdrawn: {
    about: registered,
    claims: ({ entity, role, area }) => [{ type: "withdraws", entity, role, area }],
  },
  lookups_sealed: { about: ofNobody, claims: nothing },
  complaint_received: { about: ofNobody, claims: nothing },
  rule_set_adopted: { about: byRoot, claims: (body) => [{ type: "adopts", ruleSet: body.rule_set }] },
  tolerance_adopted: { about: byRoot, claims: nothing },
  supervision_policy_adopted: { about: ofNobody, claims: within },
  temperature_policy_adopted: { about: byRoot, claims: nothing },
  sampling_policy_adopted: { about: ofNobody, claims: within },
  electronic_traceability_certificate: promise("electronic_traceability"),
  conformity_certificate_2021: promise("conformity_2021"),
  conformity_certificate_2026_producer: promise("conformity_2026_producer"),
  conformity_certificate_2026_buyer: {
    about: ({ certificate }) => certified(certificate),
    claims: ({ certificate }) => certifies(() => "conformity_2026_buyer")(certificate),
  },
  quarantine_animal: quarantine("quarantine_animal"),
  quarantine_product: quarantine("quarantine_product"),
  meat_quality: promise("meat_quality"),
  inbound_inspection: promise("inbound_inspection"),
  warehouse_booked: { about: unitOf, claims: nothing },
  warehouse_entered: {
    about: ({ entry }) => unitOf(entry),
    claims: ({ entry }) => [{ type: "stores", unit: entry.unit }],
  },
  warehouse_released: promise("warehouse_release"),
  unit_created: { about: unitOf, claims: (body) => [creates(body)] },
  unit_declared: {
    about: unitOf,
    claims: (body) => [creates(body, { maker: body.on_behalf_of, onBehalfOf: body.on_behalf_of, isDeclared: true })],
  },
  transformed: {
    about: ({ inputs, outputs }) => [...inputs, ...outputs.map(({ unit }) => unit)].map(subjects.unit),
    claims: (body) => [
      {
        type: "transforms",
        atMs: body.happened.at_ms,
        inputs: body.inputs,
        outputs: body.outputs.map(({ unit }) => unit),
      },
      ...body.outputs.map((output) => creates(output)),
    ],
  },
  handed_over: { about: carried, claims: moves("hands_over") },
  received: { about: unitOf, claims: moves("receives") },
  checked_in: { about: carried, claims: moves("checks_in") },
  disposed: { about: unitOf, claims: moves("disposes") },
  warehouse_in: { about: unitOf, claims: ({ unit }) => [{ type: "stores", unit }] },
  warehouse_out: { about: unitOf, claims: ({ unit }) => [{ type: "stores", unit }] },
  equipment_registered: { about: equipped, claims: within },
  equipment_calibrated: { about: equipped, claims: nothing },
  equipment_retired: { about: equipped, claims: nothing },
  alert_acknowledged: { about: equipped, claims: nothing },
  segment_sealed: { about: ({ probe }) => [subjects.equipment(probe)], claims: nothing },
  placed: { about: kept, claims: nothing },
  taken_out: { about: kept, claims: nothing },
  laboratory_report: { about: unitOf, claims: tests("laboratory") },
  sampling_result: { about: sampled, claims: tests("sampling") },
  inspection: { about: conducted, claims: within },
  finding_rectified: { about: conducted, claims: within },
  document_published: { about: (body) => (body.unit === null ? [] : unitOf(body)), claims: nothing },
  sampling_failed: {
    about: (body) => [...sampled(body), subjects.marks(body.unit)],
    claims: (body) => [...tests("sampling")(body), { type: "holds_failed", unit: body.unit }],
  },
  voided: {
    about: ({ unit, number }) => [subjects.unit(unit), ...(number === null ? [] : [subjects.certificate(number)])],
    claims: (body) => [{ type: "voids", target: body.target, unit: body.unit, number: body.number }],
  },
  superseded: {
    about: (body) => [...certified(body), ...certified({ unit: body.replacement_unit, number: body.replacement_number })],
    claims: (body) => [{
      type: "supersedes",
      target: body.target,
      unit: body.unit,
      number: body.number,
      toUnit: body.replacement_unit,
      toNumber: body.replacement_number,
    }],
  },
  held: marks("holds"),
  released: marks("releases", target),
  recalled: marks("recalls", (body) => ({ untilMs: body.until_ms })),
  recall_closed: marks("closes_recall", (body) => ({ ...target(body), outcome: body.outcome })),
  correction_agreed: { about: certified, claims: nothing },
  unit_voided: {
    about: marked,
    claims: (body) => [
      { type: "voids", target: body.target, unit: body.unit, number: null },
      { type: "marks_voided", unit: body.unit },
    ],
  },
  certificate_voided: {
    about: (body) => [...certified(body), subjects.marks(body.unit)],
    claims: (body) => [
      { type: "voids", target: body.target, unit: body.unit, number: body.number },
      { type: "marks_certificate_voided", unit: body.unit },
    ],
  },
  erasure_requested: { about: ofNobody, claims: nothing },
  personal_data_erased: { about: ofNobody, claims: nothing },
};
