// Runs the browser's check over many bundles at once, under node, and writes
// what it found of each: `node compare.mjs SCRIPT CASES`.
//
// SCRIPT is the very file that is served. CASES is a JSON object: the published
// kinds, and cases of {bundle (base 64), anchor, as_of, how}.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [script, file] = process.argv.slice(2);
const { checkBundle, kindsOf } = await import(pathToFileURL(script));
const { kinds, cases } = JSON.parse(await readFile(file, "utf8"));
const table = kindsOf(kinds);

const found = async ({ bundle, anchor, as_of, how }) => {
  try {
    const verdict = await checkBundle(new Uint8Array(Buffer.from(bundle, "base64")), anchor, table, as_of, how);
    const { status, reasons, disputed } = verdict.judgement;
    const lines = reasons.map(({ check, holds, index }) => `${check} ${holds} ${index}`);
    const sorted = (indexes) => [...indexes].sort((a, b) => a - b).join(",");
    return `${status} about ${sorted(verdict.about)} of ${verdict.records.length} disputed ${sorted(disputed)}: ${lines.join("; ")}`;
  } catch (error) {
    if (!error.kind) throw error;
    return error.kind === "inadmissible" ? `inadmissible ${error.index}` : error.kind;
  }
};

const outcomes = [];
for (const one of cases) outcomes.push(await found(one));
console.log(JSON.stringify(outcomes));
