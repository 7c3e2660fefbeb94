// Reads records as the browser's check does and writes what it found of each:
// `node golden.mjs MODULES RECORDS`, where MODULES is the folder of the check's
// files and RECORDS a JSON object: the published kinds, and records of
// {record: base 64 of signed bytes, algorithm, signature; public_key}.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${folder}/${name}.js`));
const { readBody, readEntry } = await load("record");
const { kindsOf } = await load("bundle");
const { verifyStrict } = await load("ed25519");
const { concat, fromBase64, fromHex } = await load("bytes");

const { kinds, records } = JSON.parse(await readFile(file, "utf8"));
const table = kindsOf(kinds);

const found = async ({ record, public_key: key }) => {
  try {
    const entry = readEntry(concat(new Uint8Array(8), fromBase64(record)), 0);
    readBody(entry, table);
    return (await verifyStrict(fromHex(key), entry.signed, entry.signature)) ? "ok" : "refused";
  } catch (error) {
    if (!error.kind) throw error;
    return "refused";
  }
};

const outcomes = [];
for (const one of records) outcomes.push(await found(one));
console.log(JSON.stringify(outcomes));
