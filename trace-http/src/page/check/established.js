// What the records of a bundle establish: keys, entities, units, what bars
// them, and what each was made from. A pure fold of their claims.

import { concat, fromHex, refuse, utf8 } from "./bytes.js";
import { ROOT } from "./code.js";
import { verifyStrict } from "./ed25519.js";
import { keyIdOf } from "./note.js";

const FAMILIES = {
  electronic_traceability: "certificate",
  conformity_2021: "certificate",
  conformity_2026_producer: "certificate",
  conformity_2026_buyer: "certificate",
  quarantine_animal_a: "quarantine_certificate",
  quarantine_animal_b: "quarantine_certificate",
  quarantine_product_a: "quarantine_certificate",
  quarantine_product_b: "quarantine_certificate",
  meat_quality: "meat_quality_certificate",
  inbound_inspection: "inbound_certificate",
  warehouse_release: "release_certificate",
};

/** In the order of a checklist. */
export const FAMILY_ORDER = [...new Set(Object.values(FAMILIES))];

export const familyOf = (form) => FAMILIES[form];

const isByMaker = (form) => !["quarantine_certificate", "release_certificate"].includes(familyOf(form));

const MARKS = {
  holds: "hold",
  holds_failed: "sample",
  marks_voided: "voided",
  marks_certificate_voided: "certificate_voided",
  recalls: "recall",
};

const UNIT_CLAIMS = ["creates", "certifies", "stores", "voids", "supersedes"];

export class Established {
  constructor(code, origin, how) {
    this.code = code;
    this.origin = origin;
    this.how = how;
    this.policy = null;
    this.keys = new Map();
    this.entities = new Map();
    this.units = new Map();
    this.marks = new Map();
    this.madeFrom = new Map();
    this.describedAnew = new Map();
    this.evidence = {
      tallies: { laboratory: { passed: 0, failed: 0, last: null }, sampling: { passed: 0, failed: 0, last: null } },
      failures: [],
    };
  }

  unit(code) {
    if (!this.units.has(code)) {
      this.units.set(code, { made: null, certificates: [], reserver: null, voidedIndex: null });
    }
    return this.units.get(code);
  }

  made(code) {
    return this.units.get(code)?.made ?? null;
  }

  enrol(index, entity, key, hosted) {
    const state = { entity, key, hosted, enrolledIndex: index, revokedIndex: null, from: null };
    this.keys.set(keyIdOf(key), state);
  }

  isDisputedAt(key, index) {
    const from = this.keys.get(key)?.from ?? null;
    return from !== null && from <= BigInt(index);
  }

  /** Adds one claim of a record that may stand. */
  async apply(entry, signer, claim) {
    const { index, hash } = entry;
    const wrong = (code, what) => refuse("inadmissible", `${code}: ${what}`, index);
    switch (claim.type) {
      case "opens":
        this.policy = { ...claim.policy };
        for (const key of claim.rootKeys) this.enrol(index, ROOT, key, false);
        return;
      case "adopts":
        if (this.policy && claim.ruleSet <= this.policy.rule_set) wrong("rule_set_not_higher", claim.ruleSet);
        if (this.policy) this.policy.rule_set = claim.ruleSet;
        return;
      case "registers":
        if (this.entities.has(claim.entity)) wrong("entity_known", claim.entity);
        this.entities.set(claim.entity, { area: claim.area, grants: [] });
        return;
      case "enrols":
        return this.enrolProved(entry, claim, wrong);
      case "revokes": {
        const state = this.keys.get(claim.key);
        if (!state || state.entity !== claim.entity) wrong("key_unknown", claim.key);
        if (state.revokedIndex !== null) wrong("key_revoked", claim.key);
        const { from } = claim;
        if (from !== null && (from < BigInt(state.enrolledIndex) || from > BigInt(index))) wrong("target_unknown", from);
        state.revokedIndex = index;
        state.from = from;
        return;
      }
      case "grants":
      case "withdraws": {
        const state = this.entities.get(claim.entity) ?? wrong("entity_unknown", claim.entity);
        const { role, area } = claim;
        if (claim.type === "grants") state.grants.push({ role, area });
        else state.grants = state.grants.filter((held) => held.role !== role || held.area !== area);
        return;
      }
      case "transforms":
        for (const output of claim.outputs) {
          this.madeFrom.set(output, { index, atMs: claim.atMs, units: claim.inputs });
        }
        return;
      case "holds":
      case "holds_failed":
      case "marks_voided":
      case "marks_certificate_voided":
      case "recalls":
        this.marks.set(hash, {
          kind: MARKS[claim.type],
          index,
          unit: claim.unit,
          by: signer,
          maker: this.made(claim.unit)?.entity ?? signer,
          untilMs: claim.untilMs ?? null,
          isLifted: false,
          isEnded: false,
        });
        return;
      case "releases":
      case "closes_recall": {
        const mark = this.marks.get(claim.target) ?? wrong("target_unknown", claim.target);
        if (mark.isEnded) wrong("mark_ended", claim.target);
        mark.isEnded = true;
        mark.isLifted = claim.type === "releases" || claim.outcome === "withdrawn";
        return;
      }
      case "tests":
        return this.test(index, hash, claim);
      default:
        this.checkMaker(signer, claim, wrong);
        this.describeAnew(index, claim);
        if (UNIT_CLAIMS.includes(claim.type)) this.change(index, hash, signer, claim);
    }
  }

  async enrolProved(entry, claim, wrong) {
    if (this.keys.has(keyIdOf(claim.key))) wrong("key_enrolled_before", claim.key);
    const message = concat(utf8("trace/enrol/v1\n"), utf8(this.origin), fromHex(claim.entity), fromHex(claim.key));
    const holds = await verifyStrict(fromHex(claim.key), message, fromHex(claim.possession), this.how);
    if (!holds) wrong("possession_unproved", claim.key);
    this.enrol(entry.index, claim.entity, claim.key, claim.hosted);
  }

  test(index, hash, claim) {
    if (claim.unit !== this.code) return;
    const tally = this.evidence.tallies[claim.source];
    tally.last = index;
    if (claim.passed) {
      tally.passed += 1;
      this.evidence.failures = this.evidence.failures.filter((one) => one.hash !== claim.retestOf);
    } else {
      tally.failed += 1;
      this.evidence.failures.push({ index, hash, source: claim.source, on: claim.on });
    }
  }

  /** A unit begins once, where it was reserved by whoever reserved it, and only
   * who made it certifies it, once by each number. */
  checkMaker(signer, claim, wrong) {
    const state = this.units.get(claim.unit);
    if (claim.type === "creates" && state) {
      if (state.made) wrong("trace_code_used", claim.unit);
      if (state.reserver !== null && state.reserver !== signer) wrong("trace_code_used", claim.unit);
    }
    if (claim.type !== "certifies") return;
    const made = state?.made ?? null;
    if (made && isByMaker(claim.form) && made.entity !== signer) wrong("right_missing", claim.unit);
    // Of another unit the beginning may not be at hand.
    if (!made && claim.unit === this.code) wrong("unit_unknown", claim.unit);
    if (state?.certificates.some((held) => held.number === claim.number)) wrong("certificate_number_used", claim.number);
  }

  /** What a certificate is replaced onto begins with what is left of the unit
   * before, and so comes of it. */
  describeAnew(index, claim) {
    if (!this.policy || this.policy.rule_set < 3) return;
    if (claim.type === "supersedes" && claim.unit !== claim.toUnit && !this.describedAnew.has(claim.toUnit)) {
      this.describedAnew.set(claim.toUnit, claim.unit);
    }
    if (claim.type === "creates" && this.describedAnew.has(claim.unit)) {
      this.madeFrom.set(claim.unit, { index, atMs: 0n, units: [this.describedAnew.get(claim.unit)] });
    }
  }

  change(index, hash, signer, claim) {
    const state = this.unit(claim.unit);
    const end = (number, standing) => {
      const held = state.certificates.find((one) => one.number === number);
      if (held) held.standing = standing;
    };
    switch (claim.type) {
      case "creates":
        state.made = {
          index,
          hash,
          entity: claim.maker ?? signer,
          isDeclared: claim.isDeclared,
          durability: claim.durability,
        };
        return;
      case "certifies":
        state.certificates.push({ ...claim, index, hash, issuer: signer, standing: { is: "in_force", index: null } });
        return;
      case "voids":
        if (claim.number === null) state.voidedIndex = index;
        else end(claim.number, { is: "voided", index });
        return;
      case "supersedes":
        end(claim.number, { is: "superseded", index, unit: claim.toUnit, number: claim.toNumber });
        this.unit(claim.toUnit).reserver = signer;
        return;
      default:
    }
  }

  /** The records that decide the unit's status. */
  deciding() {
    const state = this.unit(this.code);
    const ended = state.certificates.map((held) => held.standing.index);
    const all = [state.made?.index, ...state.certificates.map((held) => held.index), ...ended, state.voidedIndex];
    const decided = [...all, ...this.evidence.failures.map((failure) => failure.index)];
    return decided.filter((index) => index !== null && index !== undefined).sort((a, b) => a - b);
  }
}
