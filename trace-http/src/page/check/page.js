// The page's own line: it fetches the evidence, checks it in this browser, and
// says what was proved and no more. Green only after that; red and loud where
// anything differs; plain where this browser cannot.
//
// What it remembers, where it may: the ledger's anchor and its last checkpoint,
// so that a ledger that shrank or forked is noticed. Nothing of the reader.

import { checkBundle, kindsOf } from "./bundle.js";
import { fromBase64, fromHex, toHex } from "./bytes.js";
import { showMoment } from "./code.js";
import { fingerprint } from "./note.js";
import { differences } from "./shown.js";
import { verifyConsistency } from "./tree.js";
import { WORDS } from "./words.js";

const isChinese = () => document.documentElement.lang.startsWith("zh");
const say = (english, chinese) => (isChinese() ? chinese : english);

const show = (place, tone, lines) => {
  place.className = `checked ${tone}`;
  // What must not be overlooked stands before the verdict that it contradicts.
  if (tone === "red") document.querySelector(".verdict")?.before(place);
  place.dataset.checked = tone;
  place.replaceChildren(
    ...lines.map((line, at) => {
      const paragraph = document.createElement("p");
      if (at === 0) paragraph.className = "head";
      paragraph.textContent = line;
      return paragraph;
    }),
  );
};

const proved = (verdict) => {
  const time = showMoment(verdict.latestMs, verdict.offset).slice(0, 16).replace("T", " ");
  const { size } = verdict.checkpoint;
  const count = verdict.records.length;
  const hosted = verdict.records.filter(({ index, isHosted }) => isHosted && verdict.about.has(index)).length;
  return [
    say(
      `✓ Checked in your own browser: ${count} records genuine as of ${time}; that none was withheld is stated by the operator, not proved.`,
      `✓ 已在您的浏览器中核验:截至 ${time},${count} 条记录真实;“无遗漏”仅为运营方声明,未经证明。`,
    ),
    say(
      `Log ${verdict.anchor.name} at size ${size}. Fingerprint of the ledger's key: ${fingerprint(verdict.anchor)}. Compare it with one you trust.`,
      `账本 ${verdict.anchor.name},规模 ${size}。账本公钥指纹:${fingerprint(verdict.anchor)}。请与可信来源公布的指纹对照。`,
    ),
    ...(hosted > 0
      ? [say(`${hosted} of these were signed with keys that the operator keeps for their holders.`, `其中 ${hosted} 条由运营方代管的密钥签名。`)]
      : []),
    verdict.hasReadings
      ? say("The evidence carries temperature readings, which this browser does not check: trace verify does. Scans are the server's word.", "证据包含温度读数,此浏览器不予核验,可用 trace verify 核验。扫码情况为服务器所述。")
      : say("Temperatures and scans are the server's word here.", "温度与扫码情况在此为服务器所述。"),
  ];
};

const differs = (lines) => [
  say("✗ This page and its evidence do not agree. Do not rely on it.", "✗ 本页与其证据不一致,请勿采信。"),
  ...lines.slice(0, 8),
];

const refused = ({ kind, message }) =>
  kind === "cannot_check"
    ? ["plain", [say("This browser cannot check the evidence.", "此浏览器无法核验证据。"), message]]
    : ["red", [say("✗ The evidence is not sound. Do not rely on this page.", "✗ 证据不成立,请勿采信本页。"), `${kind}: ${message}`]];

const cannot = (why) => [
  "plain",
  [say("Not checked in this browser: the evidence could not be fetched or read.", "未在此浏览器核验:未能取得或读取证据。"), String(why)],
];

/** What the last visit left, or null: some browsers keep nothing. */
const remembered = (origin) => {
  try {
    return JSON.parse(localStorage.getItem(`trace ${origin}`));
  } catch {
    return null;
  }
};

const remember = (verdict, anchor) => {
  try {
    const { size, root } = verdict.checkpoint;
    localStorage.setItem(`trace ${verdict.anchor.name}`, JSON.stringify({ anchor, size, root: toHex(root) }));
  } catch {
    // Kept nowhere: the next visit has nothing to compare with.
  }
};

/** Lines of what contradicts the last visit. */
const contradictions = async (verdict, anchor, fetchJson) => {
  const before = remembered(verdict.anchor.name);
  if (before === null) return [];
  const { size, root } = verdict.checkpoint;
  if (before.anchor !== anchor) {
    return [say(`The ledger's anchor was ${before.anchor} at your last visit.`, `上次访问时账本信任锚为 ${before.anchor}。`)];
  }
  const grown = size >= before.size ? [before.size, size, before.root, toHex(root)] : [size, before.size, toHex(root), before.root];
  const [from, to, first, second] = grown;
  let path = [];
  if (from < to && from > 0) {
    const answer = await fetchJson(`/v1/proof/consistency?from=${from}&to=${to}`);
    path = answer.path.map(fromBase64);
  }
  try {
    verifyConsistency(from, to, fromHex(first), fromHex(second), path);
  } catch (error) {
    return [say(`The ledger does not continue what it showed you before: ${error.message}`, `账本与此前向您展示的不连续:${error.message}`)];
  }
  return [];
};

/** Checks a page against a bundle; `root` is what is shown. */
const check = async (place, root, { bundle, anchor, kinds, judged, fetchJson }) => {
  let verdict = null;
  try {
    verdict = await checkBundle(bundle, anchor, kinds, judged);
  } catch (error) {
    show(place, ...(error.kind ? refused(error) : cannot(error)));
    return;
  }
  const size = Number(place.dataset.size ?? root.getElementById("checked")?.dataset.size);
  if ([...verdict.about].some((index) => index >= size)) {
    show(place, "plain", [
      say("New records came since this page was made: load it again.", "本页生成后又有新记录,请重新载入本页。"),
    ]);
    return;
  }
  const wrong = differences(root, verdict);
  if (fetchJson) {
    try {
      wrong.push(...(await contradictions(verdict, anchor, fetchJson)));
    } catch (error) {
      show(place, ...cannot(error));
      return;
    }
  }
  if (wrong.length > 0) {
    show(place, "red", differs(wrong));
    return;
  }
  if (fetchJson) remember(verdict, anchor);
  show(place, "green", proved(verdict));
};

const online = async (place) => {
  const { anchor, judged, bundle } = place.dataset;
  const get = async (address) => {
    const answer = await fetch(address, { cache: "no-cache", credentials: "omit" });
    if (!answer.ok) throw new Error(`${address}: HTTP ${answer.status}`);
    return answer;
  };
  const fetchJson = async (address) => (await get(address)).json();
  try {
    const [kinds, bytes] = await Promise.all([fetchJson("/v1/kinds"), get(bundle).then((it) => it.arrayBuffer())]);
    await check(place, document, { bundle: new Uint8Array(bytes), anchor, judged, kinds: kindsOf(kinds), fetchJson });
  } catch (error) {
    show(place, ...cannot(error));
  }
};

/** The saved page of the two files, if one is a page. */
const parted = async (files) => {
  const read = await Promise.all([...files].map(async (file) => new Uint8Array(await file.arrayBuffer())));
  const isPage = (bytes) => bytes.find((byte) => byte > 32) === "<".charCodeAt(0);
  const page = read.find(isPage);
  const parser = new DOMParser();
  return {
    page: page ? parser.parseFromString(new TextDecoder().decode(page), "text/html") : null,
    bundle: read.find((bytes) => !isPage(bytes)) ?? null,
  };
};

/** The page that works from files: a saved bundle, with a saved page or without. */
const offline = (form) => {
  const place = document.getElementById("checked");
  const kinds = kindsOf(JSON.parse(document.getElementById("kinds").textContent));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const { page, bundle } = await parted(form.elements.files.files);
      const anchor = form.elements.anchor.value.trim();
      if (bundle === null) throw new Error(say("Choose a saved bundle.", "请选择已保存的证据包。"));
      const own = page?.getElementById("checked");
      const judged = own?.dataset.judged ?? new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
      if (page !== null) {
        await check(place, page, { bundle, anchor, judged, kinds, fetchJson: null });
        return;
      }
      const verdict = await checkBundle(bundle, anchor, kinds, judged);
      show(place, "green", [`${verdict.code}: ${say(...WORDS[verdict.judgement.status])} (${judged})`, ...proved(verdict)]);
    } catch (error) {
      show(place, ...(error.kind ? refused(error) : cannot(error)));
    }
  });
};

/** Begins, where there is a page. */
export const start = () => {
  if (typeof document === "undefined") return;
  const form = document.getElementById("tool");
  if (form) offline(form);
  const place = document.querySelector("#checked[data-bundle]");
  if (place) online(place);
};
