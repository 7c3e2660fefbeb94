// What a page shows, held against what was proved.
//
// A page marks what it shows: `data-shows` names a fact, a `data-record` is a
// line of the journey. Nothing is compared that a reader does not see.

import { readCode, showCode, showDay, showMoment, showQuantity } from "./code.js";
import { STATUSES } from "./judge.js";
import { subjects } from "./record.js";
import { WORDS } from "./words.js";

/** What no bundle proves: readings and scans are the server's word. */
const SERVERS_WORD = ["temperature_alert", "suspicious_scans"];

const squeezed = (element) => element.textContent.replace(/\s+/g, " ").trim();

/** The fields of the record that made the unit. */
const madeOf = (verdict) => {
  const { made } = verdict.unit;
  const record = made && verdict.records.find(({ index }) => index === made.index);
  if (!record) return null;
  const { value } = record;
  return value.outputs?.find((output) => showCode(output.unit) === verdict.code) ?? value;
};

/** Every fact that a page may show, as it must be written. */
const factsOf = (verdict) => {
  const facts = new Map([["code", verdict.code]]);
  const made = madeOf(verdict);
  if (made === null) return facts;
  const { product, quantity, produced_on, durability, origin_place, specification, lot, gtin, storage } = made;
  const firm = verdict.entities.get(verdict.unit.made.entity) ?? null;
  const all = {
    ...{ product, origin_place, specification, lot, storage },
    quantity: quantity && showQuantity(quantity),
    produced_on: showDay(produced_on),
    durability: durability && showDay(durability.on),
    gtin: gtin && String(gtin).padStart(14, "0"),
    maker: firm,
  };
  for (const [name, value] of Object.entries(all)) if (value !== null && value !== undefined) facts.set(name, value);
  return facts;
};

const certificatesOf = (verdict) =>
  new Map(
    verdict.unit.certificates.map((held) => [
      held.number,
      {
        issued_on: showDay(held.issuedOn),
        expires_on: held.expiresOn === null ? null : showDay(held.expiresOn),
        standing: held.standing.is,
      },
    ]),
  );

/** What differs between a page and what was proved: lines of text, none where
 * nothing does. `root` is the document or its main part. */
export const differences = (root, verdict) => {
  const wrong = [];
  const differ = (what, shown, proved) => wrong.push(`${what}: ${shown} ≠ ${proved}`);
  statusOf(root, verdict, differ);
  const facts = factsOf(verdict);
  const seen = new Set();
  for (const element of root.querySelectorAll("[data-shows]")) {
    const name = element.dataset.shows;
    seen.add(name);
    // A natural person's name stands in no bundle, and on no page.
    if (name === "maker" && !facts.has(name)) continue;
    if (squeezed(element) !== facts.get(name)) differ(name, squeezed(element), facts.get(name) ?? "–");
  }
  for (const [name, value] of facts) if (!seen.has(name)) differ(name, "–", value);
  papers(root, verdict, differ);
  journey(root, verdict, differ);
  return wrong;
};

const statusOf = (root, verdict, differ) => {
  const heading = root.querySelector("[data-status]");
  const [shown, proved] = [heading?.dataset.status, verdict.judgement.status];
  const isServersWord = SERVERS_WORD.includes(shown) && STATUSES.indexOf(shown) < STATUSES.indexOf(proved);
  if (shown !== proved && !isServersWord) differ("status", shown, proved);
  const words = WORDS[isServersWord ? shown : proved];
  const text = heading ? squeezed(heading) : "";
  for (const one of words) if (!text.includes(one)) differ("verdict", text, one);
};

const papers = (root, verdict, differ) => {
  const held = certificatesOf(verdict);
  const shown = new Map([...root.querySelectorAll("[data-certificate]")].map((one) => [one.dataset.certificate, one]));
  for (const [number, element] of shown) {
    const proved = held.get(number);
    if (!proved) {
      differ("certificate", number, "–");
      continue;
    }
    if (!squeezed(element).includes(number)) differ("certificate", squeezed(element), number);
    if (element.dataset.standing !== proved.standing) differ(number, element.dataset.standing, proved.standing);
    for (const field of ["issued_on", "expires_on"]) {
      const found = element.querySelector(`[data-paper=${field}]`);
      const text = found && squeezed(found);
      if (text !== proved[field]) differ(number, text, proved[field]);
    }
  }
  for (const number of held.keys()) if (!shown.has(number)) differ("certificate", "–", number);
};

/** Every line shown is a proved record at its time; on the newest part of a
 * journey the newest are all there. */
const journey = (root, verdict, differ) => {
  const own = verdict.records.filter(({ index }) => verdict.about.has(index));
  const proved = new Map(own.map((record) => [String(record.index), record]));
  const lines = [...root.querySelectorAll("[data-record]")];
  for (const line of lines) {
    const record = proved.get(line.dataset.record);
    if (!record) {
      differ("record", line.dataset.record, "–");
      continue;
    }
    const time = line.querySelector("time");
    const wanted = showMoment(record.admittedMs, verdict.offset);
    if (line.dataset.kind !== record.kind.name) differ(line.dataset.record, line.dataset.kind, record.kind.name);
    if (time?.dateTime !== wanted || squeezed(time) !== wanted.slice(0, 16).replace("T", " ")) {
      differ(line.dataset.record, time?.dateTime, wanted);
    }
    const firm = verdict.entities.get(record.signer);
    const shown = line.querySelector("[data-signer]");
    if (firm && shown && squeezed(shown) !== firm) differ(line.dataset.record, squeezed(shown), firm);
  }
  if (root.querySelector("[data-part=older]")) return;
  const shown = new Set(lines.map((line) => line.dataset.record));
  const oldest = Math.min(...[...shown].map(Number));
  const unit = subjects.unit(readCode(verdict.code));
  const newest = own.filter(({ index, about }) => index >= oldest && about.includes(unit));
  for (const { index } of newest) if (!shown.has(String(index))) differ("record", "–", index);
};
