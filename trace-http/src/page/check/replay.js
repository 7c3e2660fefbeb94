// A bundle's records judged one by one, from leaf 0 on: each in its signer's
// chain, by a key that an earlier record enrols, with the right to say it.

import { fromHex, refuse, toHex } from "./bytes.js";
import { isPoint, verifyStrict } from "./ed25519.js";
import { Established } from "./established.js";
import { keyIdOf } from "./note.js";
import { readBody, subjects } from "./record.js";
import { authorise, governanceOf } from "./rights.js";

const NO_HASH = "00".repeat(32);

export class Replay {
  constructor(code, anchor, stated, kinds, how) {
    Object.assign(this, { code, anchor, stated, kinds, how });
    this.state = new Established(code, anchor.name, how);
    this.chains = new Map();
    this.hashes = new Set();
    this.records = [];
    this.admittedMs = 0n;
  }

  /** Judges the next record and adds what it says. */
  async append(entry) {
    const { index } = entry;
    const wrong = (why) => refuse("inadmissible", why, index);
    if (entry.admittedMs < this.admittedMs) wrong(`admitted at ${entry.admittedMs} ms, an earlier one later`);
    if (entry.origin !== this.anchor.name) {
      refuse("wrong_ledger", `record ${index} of ${entry.origin}, wanted ${this.anchor.name}`, index);
    }
    const body = this.read(entry);
    this.followChain(entry, wrong);
    const key = fromHex(this.publicKey(entry, body, wrong));
    if (!isPoint(key)) refuse("malformed", `public key ${toHex(key)} is not a point on the curve`, index);
    const holds = await verifyStrict(key, entry.signed, entry.signature, this.how);
    if (!holds) refuse("signature", `bad signature on record ${entry.hash}`, index);
    this.atHand(index, body.claims);
    const { policy } = this.state;
    if (policy && body.kind.rule_set > policy.rule_set) wrong(`rule_set_too_old: ${policy.rule_set} for ${body.kind.name}`);
    const signedAs = await authorise(this.state, entry, body, this.how);
    for (const claim of body.claims) await this.state.apply(entry, signedAs.entity, claim);
    this.chains.set(entry.key, entry);
    this.hashes.add(entry.hash);
    this.admittedMs = entry.admittedMs;
    const isHosted = this.state.keys.get(entry.key)?.hosted ?? false;
    this.records.push({ ...entry, ...body, signer: signedAs.entity, role: signedAs.role, isHosted });
  }

  read(entry) {
    try {
      return readBody(entry, this.kinds);
    } catch (error) {
      if (error.kind) error.index ??= entry.index;
      throw error;
    }
  }

  /** A key's records stand in their order, and neighbours are linked. */
  followChain(entry, wrong) {
    const last = this.chains.get(entry.key);
    if (last && entry.sequence <= last.sequence) wrong(`sequence ${entry.sequence} after ${last.sequence}`);
    const follows = last && last.sequence + 1n === entry.sequence;
    if (!follows && entry.sequence !== 0n) return;
    const wanted = follows ? last.hash : NO_HASH;
    if (entry.link !== wanted) wrong(`sequence ${entry.sequence} is linked to ${entry.link}, not to ${wanted}`);
  }

  /** The signer's key: enrolled by an earlier record, and all about its holder
   * stated; in leaf 0, one of the root keys that it names itself. */
  publicKey(entry, { kind, value }, wrong) {
    const opens = kind.name === "ledger_opened";
    if (entry.index === 0) {
      if (!opens) wrong("the first record opens no ledger");
      const own = toHex(this.anchor.key);
      if (value.ledger_key !== own) {
        refuse("wrong_ledger", `leaf 0 naming ledger key ${value.ledger_key}, wanted ${own}`, 0);
      }
      return value.root_keys.find((key) => keyIdOf(key) === entry.key) ?? wrong(`key ${entry.key} is not a root key`);
    }
    if (opens) wrong("a ledger opens once");
    const state = this.state.keys.get(entry.key) ?? wrong(`key ${entry.key} is not enrolled by any earlier record`);
    if (!this.stated.has(subjects.signer(state.entity))) {
      refuse("incomplete", `nothing is stated about ${state.entity}, who signed record ${entry.index}`);
    }
    return state.key;
  }

  /** What judging a record needs must be at hand, or the fault is the bundle's
   * and not the ledger's. */
  atHand(index, claims) {
    const missing = (what) => refuse("incomplete", `${what}, which record ${index} is about`);
    for (const claim of claims) {
      const entity = governanceOf(claim);
      if (entity !== null && !this.stated.has(subjects.signer(entity))) missing(`nothing is stated about ${entity}`);
      const { type, unit, target } = claim;
      if (["voids", "supersedes"].includes(type) && unit !== this.code && !this.hashes.has(target)) {
        missing(`record ${target} about ${unit}`);
      }
      if (["holds", "holds_failed", "marks_voided", "marks_certificate_voided", "recalls"].includes(type) && this.state.made(unit) === null) {
        missing(`the record that makes ${unit}`);
      }
      if (["releases", "closes_recall"].includes(type) && !this.state.marks.has(target)) missing(`record ${target}`);
    }
  }
}
