// What is true of the unit on a day: the one word, and the checklist behind it.

import { refuse } from "./bytes.js";
import { isDay } from "./code.js";
import { FAMILY_ORDER, familyOf } from "./established.js";
import { subjects } from "./record.js";

/** Of several that hold, the one that stands first wins. */
export const STATUSES = [
  "malformed", "unknown", "integrity_failure", "cannot_check", "recalled", "voided", "disputed", "on_hold",
  "test_failed", "source_voided", "superseded", "temperature_alert", "past_date", "certificate_expired",
  "suspicious_scans", "valid",
];

/** The first rule set under which anything can be held or recalled. */
const MARKS_FROM_RULE_SET = 2;

const least = (found) => found.reduce((low, one) => (low === null || one < low ? one : low), null);

/** What bars the unit, once its whole lineage is at hand and something is
 * stated of the marks of each unit in it. */
const barring = (code, state, stated, isDisputed) => {
  const none = { hold: null, recall: null, sample: null, voided: null, certificateVoided: null, disputedSource: null };
  const ruleSet = state.policy?.rule_set ?? MARKS_FROM_RULE_SET;
  if (ruleSet < MARKS_FROM_RULE_SET) return none;
  const [found, lineage, disputedMakings] = [[code], new Set([code]), []];
  while (found.length > 0) {
    const unit = found.pop();
    if (!stated.has(subjects.marks(unit))) refuse("incomplete", `nothing is stated about holds and recalls of ${unit}`);
    const made = state.made(unit);
    if (unit !== code && made === null) refuse("incomplete", `the record that makes ${unit}`);
    if (unit !== code && isDisputed(made.index)) disputedMakings.push(made.index);
    for (const parent of state.madeFrom.get(unit)?.units ?? []) {
      if (!lineage.has(parent)) {
        lineage.add(parent);
        found.push(parent);
      }
    }
  }
  const reaching = [...state.marks.values()].filter((mark) => !mark.isLifted && reaches(mark, code, state));
  const firstOf = (...kinds) => least(reaching.filter(({ kind }) => kinds.includes(kind)).map(({ index }) => index));
  return {
    hold: firstOf("hold", "sample"),
    recall: firstOf("recall"),
    sample: firstOf("sample"),
    voided: firstOf("voided"),
    certificateVoided: firstOf("certificate_voided"),
    disputedSource: least(disputedMakings),
  };
};

/** Whether a mark's unit leads to `code`. */
const reaches = (mark, code, state) => {
  const isInherited = ["voided", "certificate_voided"].includes(mark.kind);
  if (code === mark.unit && isInherited) return false;
  const [found, known] = [[code], new Set([code])];
  while (found.length > 0) {
    const unit = found.pop();
    if (unit === mark.unit) return true;
    const from = state.madeFrom.get(unit);
    if (!from) continue;
    const isBefore = from.index < mark.index && (mark.untilMs === null || from.atMs <= mark.untilMs);
    if (!isInherited && !isBefore) continue;
    for (const parent of from.units) {
      if (!known.has(parent)) {
        known.add(parent);
        found.push(parent);
      }
    }
  }
  return false;
};

class Checklist {
  reasons = [];
  holding = [];

  add(check, holds, index = null) {
    this.reasons.push({ check, holds, index });
  }

  fails(check, status, index) {
    this.holding.push(status);
    this.add(check, false, index);
  }
}

/** Judges the certificates of each family by themselves. */
const certificates = (unit, today, list) => {
  const families = FAMILY_ORDER.map((family) => unit.certificates.filter((held) => familyOf(held.form) === family));
  const present = families.filter((held) => held.length > 0);
  if (present.length === 0) list.add("certificate", null);
  const replaced = present.map((held) => {
    // One standing certificate carries the unit; only without any does the
    // fate of the latest decide.
    const latestFirst = held.toReversed?.() ?? [...held].reverse();
    const judged = latestFirst.find(({ standing }) => standing.is === "in_force") ?? latestFirst[0];
    const check = familyOf(judged.form);
    const { standing, expiresOn } = judged;
    if (standing.is !== "in_force") {
      list.fails(check, standing.is, standing.index);
      return standing.is === "superseded" ? { ...standing, index: judged.index } : null;
    }
    list.add(check, true, judged.index);
    if (expiresOn === null) return null;
    // Quarantine is valid until arrival: its end says nothing of what arrived.
    if (check === "quarantine_certificate") list.add("moving", null, judged.index);
    else if (today <= expiresOn) list.add("validity", true, judged.index);
    else list.fails("validity", "certificate_expired", judged.index);
    return null;
  });
  return replaced.find((one) => one !== null) ?? null;
};

const dates = (made, today, list) => {
  if (made.durability === null) list.add("date", null);
  else if (!isDay(made.durability.on)) list.fails("date", "cannot_check", made.index);
  else if (today <= made.durability.on) list.add("date", true, made.index);
  else list.fails("date", "past_date", made.index);
};

const barred = (bars, list) => {
  if (bars.recall !== null) list.fails("recall", "recalled", bars.recall);
  else list.add("recall", true);
  if (bars.voided !== null) list.fails("source", "source_voided", bars.voided);
  if (bars.certificateVoided !== null) list.fails("source_certificate", "source_voided", bars.certificateVoided);
  if (bars.hold !== null) list.fails("hold", "on_hold", bars.hold);
  else list.add("hold", true);
};

const issuerKey = (disputed, bars, list) => {
  const index = disputed ?? bars.disputedSource;
  if (index === null) list.add("issuer_key", true);
  else list.fails("issuer_key", "disputed", index);
};

const tested = ({ tallies, failures }, list) => {
  for (const source of ["laboratory", "sampling"]) {
    const { last } = tallies[source];
    if (last === null) continue;
    const standing = failures.filter((one) => one.source === source).at(-1);
    list.add(source, standing === undefined, standing?.index ?? last);
  }
  if (failures.length > 0) list.holding.push("test_failed");
};

/** Judges as of `today`, in days since 1970-01-01. */
export const judge = (code, replay, today) => {
  const { state, stated, records } = replay;
  const disputed = new Set(records.filter(({ key, index }) => state.isDisputedAt(key, index)).map(({ index }) => index));
  const bars = barring(code, state, stated, (index) => disputed.has(index));
  const unit = state.unit(code);
  if (unit.made === null) return { status: "unknown", reasons: [], replacedBy: null, disputed: [] };
  const list = new Checklist();
  if (unit.voidedIndex === null) list.add("unit", true, unit.made.index);
  else list.fails("unit", "voided", unit.voidedIndex);
  barred(bars, list);
  if (unit.made.isDeclared) list.add("origin", null);
  issuerKey(state.deciding().find((index) => disputed.has(index)) ?? null, bars, list);
  const replaced = certificates(unit, today, list);
  dates(unit.made, today, list);
  tested(state.evidence, list);
  const after = replaced && corrected(records, replaced);
  if (after) list.add("correction", null, after.index);
  const placed = records.filter(({ kind, value }) => kind.name === "placed" && value.unit === code).at(-1);
  if (placed) list.add("temperature", null, placed.index);
  const ranks = list.holding.map((status) => STATUSES.indexOf(status));
  return {
    status: STATUSES[Math.min(...ranks, STATUSES.length - 1)],
    reasons: list.reasons,
    replacedBy: replaced && { unit: replaced.unit, number: replaced.number },
    disputed: [...disputed],
  };
};

/** The certificate that replaces another, where both are here. */
const corrected = (records, { index, number }) => {
  const certifies = ({ claims }) => claims.some((claim) => claim.type === "certifies" && claim.number === number);
  return records.some((record) => record.index === index) ? records.find(certifies) : undefined;
};
