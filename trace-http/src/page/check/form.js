// The form of a body: what every record must keep to whoever signs it. Texts
// are plain and as long as their field allows, days are in the calendar, areas
// have six digits, quantities are exact, lists are in order.
//
// Not here: check digits of firms' numbers, and what stands in sections that no
// bundle carries. Admission holds those, and an audit; no right and no verdict
// hangs on them.

import { fromHex, utf8 } from "./bytes.js";
import { ROOT, isDay, isExact } from "./code.js";
import { keyFault } from "./ed25519.js";

/** The longest that a text may be, by the field's name; with the kind before it
 * where fields of one name differ. */
const LENGTHS = {
  name: 60, place: 80, device: 30, product: 60, specification: 60, origin_place: 80, storage: 60,
  foreign_codes: 80, reason: 100, species: 30, purpose: 30, departure: 80, producer_name: 60,
  producer_address: 80, grade: 20, plant_code: 30, barcode: 60, port: 40, country: 40,
  overseas_plant: 30, verification: 120, item: 40, unit: 16, standard: 40, problem: 60, how: 100,
  laboratory: 60, serial: 40, source: 80, name_zh: 40, paper_certificate: 80, issuer: 80,
  "paper.name": 40, "paper.number": 60, "inbound_inspection.lot": 40, "sampling_result.lot": 40,
  "sampling_failed.lot": 40, "equipment_registered.name": 40, "temperature_policy_adopted.name": 40,
  "laboratory_report.number": 40, "sampling_result.number": 40, "sampling_failed.number": 40,
  "inspection.number": 40, "attachments.number": 40,
};

const DAYS = new Set([
  "on", "due", "due_on", "produced_on", "issued_on", "expires_on", "tested_on", "sampled_on",
  "inspected_on", "rectified_on", "destroy_on",
]);

/** Control, direction, invisible and noncharacter code points. */
const HIDDEN = new RegExp(
  "[\\p{Cc}\\u00AD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F\\u200B-\\u200F\\u2028-\\u202E" +
    "\\u2060-\\u206F\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0\\uFFF0-\\uFFFF\\uE000-\\uF8FF\\uFDD0-\\uFDEF" +
    "\\u{E0000}-\\u{10FFFF}]",
  "u",
);
const isNoncharacter = (point) => (point & 0xfffe) === 0xfffe;

const textFault = (text, most, least = 1) => {
  const points = [...text];
  if (utf8(text).length > most * 4 || points.length > most || points.length < least) return "length";
  if (HIDDEN.test(text) || points.some((point) => isNoncharacter(point.codePointAt(0)))) return "hidden sign";
  if (/^\p{White_Space}|\p{White_Space}$/u.test(text)) return "starts or ends with a space";
  return text.normalize("NFC") === text ? null : "not in normal form C";
};

const isNumber = (text) => /^[0-9A-Z-]{4,32}$/.test(text);
const isLot = (text) => /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}$/.test(text);
const isPolicyCode = (text) => /^[a-z0-9-]{1,32}$/.test(text);

const valueFault = (kind, context, field, value) => {
  const named = (set) => set[`${context}.${field}`] ?? set[`${kind}.${field}`] ?? set[field];
  if (typeof value === "string") {
    const most = named(LENGTHS);
    if (field === "collected") return null;
    if (field === "continues") return utf8(value).length > 1024 ? "too long" : null;
    if (field === "policy") return isPolicyCode(value) ? null : "not a policy's code";
    if (["number", "replacement_number", "certificate"].includes(field) && most === undefined) {
      return isNumber(value) ? null : "not a certificate's number";
    }
    if (field === "lot" && most === undefined) return isLot(value) ? null : "not a batch's number";
    // An id in hexadecimal and a variant's name are no texts.
    if (most === undefined || /^(?:[0-9a-f]{2}){8,}$/.test(value)) return null;
    return textFault(value, most, field === "foreign_codes" ? 4 : 1);
  }
  if (DAYS.has(field) && typeof value === "number") return isDay(value) ? null : "a day beyond the calendar";
  if (field === "area" || field === "origin_area") {
    return value === null || (value >= 100_000 && value < 900_000) ? null : "no area";
  }
  if (field === "offset_minutes" && Math.abs(value) > 14 * 60) return "an offset of more than 14 hours";
  if (/milli_c$/.test(field) && value !== null && (value < -200_000 || value > 100_000)) {
    return "a temperature that cannot be";
  }
  return null;
};

/** The first fault in a value and all within it, or null. */
const walk = (kind, context, field, value) => {
  const fault = valueFault(kind, context, field, value);
  if (fault) return `${field}: ${fault}`;
  if (value === null || typeof value !== "object") return null;
  if (Array.isArray(value)) return first(value.map((one) => () => walk(kind, field, field, one)));
  if (value.stated && value.base) return isExact(value) ? null : `${field}: not exactly what was stated`;
  return first(Object.entries(value).map(([name, inner]) => () => walk(kind, field, name, inner)));
};

const first = (faults) => {
  for (const fault of faults) {
    const found = fault();
    if (found) return found;
  }
  return null;
};

const isSorted = (list) => list.every((one, at) => at === 0 || list[at - 1] < one);

const dated = ({ produced_on: produced, durability, gtin }) => {
  if (gtin !== null && !isGtin(gtin)) return "the check digit of its GTIN";
  return durability && durability.on < produced ? "to be sold until before it was produced" : null;
};

const renumbered = (body) => (body.number === body.replacement_number ? "cannot replace itself" : null);

const policyFault = ({ root_keys: keys, policy }) => {
  const quorum = policy.root_quorum;
  if (keys.length === 0 || keys.length > 7 || !isSorted(keys)) return "root keys";
  if (quorum * 2 <= keys.length || quorum > keys.length) return "quorum";
  if (policy.rule_set < 1 || policy.rule_set > RULE_SET_NEWEST) return "rule set";
  if (Math.abs(policy.civil_offset_minutes) > 14 * 60) return "civil time";
  return policy.signed_ahead_max_ms > 86_400_000n ? "signing ahead" : null;
};

/** The newest set of rules known here. */
const RULE_SET_NEWEST = 4;

const listed = (order) => (list) => isSorted(list.map((one) => order.indexOf(one)));

/** Lists whose order is that of the form. */
const inOrder = {
  bases: listed([
    "entrusted_test", "own_test", "internal_control", "self_promise", "control_meets_requirements",
    "own_test_passed", "entrusted_test_passed",
  ]),
  pledges: listed([
    "no_forbidden_substances", "residues_within_limits", "truth_of_promise", "no_banned_compounds",
    "used_residues_within_limits", "certificates_collected", "no_misused_additives",
  ]),
  parts: listed(["owner", "carrier", "veterinarian"]),
  checks: listed(["certificate", "label", "senses", "temperature", "rapid_test"]),
  demanded: listed(["customs_declaration", "inspection_certificate", "nucleic_acid_test", "disinfection", "other"]),
  product_classes: listed([
    "vegetable", "fruit", "tea_leaf", "livestock_and_poultry", "egg", "farmed_aquatic", "other",
  ]),
};

const isGtin = (number) => {
  const digits = [...String(number).padStart(14, "0")].map(Number);
  return digits.length === 14 && digits.reduce((sum, digit, at) => sum + digit * (at % 2 === 0 ? 3 : 1), 0) % 10 === 0;
};

const promised = (shared) => (inOrder.bases(shared.bases) && inOrder.pledges(shared.pledges) ? null : "bases or pledges");

const quarantined = ({ elements, ear_tags: tags = [] }) => {
  if (elements.parts.length !== elements.persons.length || !inOrder.parts(elements.parts)) return "parts and persons";
  return tags.length > 300 || tags.some((tag) => tag > 999) ? "ear tags" : null;
};

const attached = ({ attachments }) => (attachments.length > 16 ? "attachments" : null);

const calibrated = ({ calibration }) => (calibration && calibration.on > calibration.due ? "due before it was made" : null);

const equipped = (body) => {
  const isPart = ["probe", "zone"].includes(body.kind);
  if (isPart === (body.part_of === null)) return "what it is part of";
  return body.calibration && body.kind !== "probe" ? "only a probe is calibrated" : calibrated(body);
};

const sealed = ({ count, first_ms: from, last_ms: to, lowest_milli_c: low, highest_milli_c: high }) => {
  if (count < 1 || count > 65_536 || from > to || low > high) return "count, times or temperatures";
  return count === 1 && (from !== to || low !== high) ? "one reading, two times" : null;
};

const POLICY_SECONDS_MAX = 366 * 86_400;

const keepable = ({ version, text }) => {
  const { low_milli_c: low, high_milli_c: high, run_s_max: run, total_s_max: total, gap_s_max: gap } = text;
  const { store_interval_s: store, transport_interval_s: transport } = text;
  const period = text.total_within_s ?? POLICY_SECONDS_MAX;
  if (version === 0 || (low === null && high === null) || (low !== null && high !== null && low > high)) return "version or band";
  const [spans, intervals] = [[run, total], [period, store, transport, gap]];
  if ([...spans, ...intervals].some((span) => span > POLICY_SECONDS_MAX) || intervals.includes(0)) return "a span of time";
  if (run > total || total > period || gap < Math.max(store, transport)) return "spans that contradict each other";
  return text.product_classes.length > 0 && inOrder.product_classes(text.product_classes) ? null : "classes";
};

/** In units of the ninth decimal place. */
const scaled = ({ digits, decimals }) => digits * 10n ** BigInt(9 - decimals);
const isDecimal = ({ digits, decimals }) => decimals <= 9 && (digits < 0n ? -digits : digits) < 10n ** 18n;

/** Whether what was found keeps the limit; null where that cannot be told, as
 * when less than 0.1 was found and at most 0.05 is allowed. */
const isKept = (found, limit) => {
  const [amount, bound] = [found.amount ?? null, found.below ?? null];
  if (limit === "absent") return amount === null || amount.digits === 0n;
  const isLeast = limit.at_least !== undefined;
  if (found === "not_detected") return isLeast ? null : true;
  const most = scaled(limit.at_least ?? limit.at_most);
  if (amount !== null) return isLeast ? scaled(amount) >= most : scaled(amount) <= most;
  return scaled(bound) <= most ? !isLeast : null;
};

const itemFault = ({ found, limit, passed }) => {
  const numbers = [found, limit].flatMap((one) => (one !== null && typeof one === "object" ? Object.values(one) : []));
  if (!numbers.every(isDecimal)) return "a number";
  const kept = limit === null ? null : isKept(found, limit);
  return kept !== null && kept !== passed ? "found, limit and verdict disagree" : null;
};

const tested = ({ items, passed }) => {
  if (items.length === 0 || items.length > 48) return `${items.length} items`;
  const fault = first(items.map((item) => () => itemFault(item)));
  if (fault) return fault;
  return passed === items.every((item) => item.passed) ? null : "items and verdict disagree";
};

const codes = ({ inputs, outputs, process }) => {
  const all = new Set([...inputs, ...outputs.map(({ unit }) => unit)]);
  if (inputs.length === 0 || outputs.length === 0 || inputs.length + outputs.length > 64) return "how many units";
  if (!isSorted(inputs) || all.size !== inputs.length + outputs.length) return "a code stands twice";
  if (["split", "slaughter"].includes(process) && inputs.length !== 1) return "one unit goes in";
  return process === "merge" && outputs.length !== 1 ? "one unit comes out" : first(outputs.map((one) => () => dated(one)));
};

/** What kinds demand beyond their fields. */
const DEMANDS = {
  ledger_opened: policyFault,
  rule_set_adopted: ({ rule_set }) => (rule_set >= 1 && rule_set <= RULE_SET_NEWEST ? null : "rule set"),
  entity_registered: (body) => {
    const isHousehold = body.category === "household";
    if (body.entity === ROOT || isHousehold === (body.name !== null)) return "entity or name";
    if (isHousehold && (body.persons.length === 0 || body.place !== null)) return "a household's name and place";
    return body.licences.length > 8 ? "licences" : null;
  },
  key_enrolled: (body) => {
    if (body.algorithm !== 1 || body.entity === ROOT) return "algorithm or entity";
    const fault = keyFault(fromHex(body.public_key));
    return fault && `public key ${fault}`;
  },
  unit_created: (body) =>
    body.foreign_codes.length > 8 || !isSorted(body.foreign_codes) ? "foreign codes" : dated(body),
  unit_declared: dated,
  transformed: codes,
  laboratory_report: tested,
  sampling_result: tested,
  sampling_failed: (body) => (body.unit === null || body.passed ? "a sample that holds nothing" : tested(body)),
  superseded: renumbered,
  correction_agreed: renumbered,
  meat_quality: (body) => (body.issued_on < body.produced_on ? "issued before it was produced" : null),
  checked_in: ({ checks }) => (checks.length > 0 && inOrder.checks(checks) ? null : "checks"),
  electronic_traceability_certificate: promised,
  conformity_certificate_2021: promised,
  conformity_certificate_2026_producer: promised,
  conformity_certificate_2026_buyer: ({ certificate }) => promised(certificate),
  quarantine_animal: quarantined,
  quarantine_product: quarantined,
  warehouse_entered: attached,
  warehouse_released: attached,
  supervision_policy_adopted: ({ policy }) =>
    policy.booking_lead_hours > 28 * 24 || !inOrder.demanded(policy.demanded) ? "lead or papers" : null,
  tolerance_adopted: ({ tolerance }) =>
    tolerance.shrinkage_per_mille > 1_000 || tolerance.gain_per_mille > 1_000 ? "per mille" : null,
  equipment_registered: equipped,
  equipment_calibrated: calibrated,
  segment_sealed: sealed,
  inspection: ({ findings, inspected_on: on }) =>
    findings.length > 32 || findings.some(({ due_on }) => due_on < on) ? "findings" : null,
  temperature_policy_adopted: keepable,
};

/** Why a body is not of its kind's form, or null. */
export const formFault = (kind, value) => {
  const shared = value.certificate?.countersignatures ? value.certificate : value.elements ?? value;
  if ((shared.countersignatures?.length ?? 0) > 8 || (shared.persons?.length ?? 0) > 4) return "too many sign or are named";
  return walk(kind, kind, kind, value) ?? DEMANDS[kind]?.(value) ?? null;
};
