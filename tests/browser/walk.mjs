// What every walk through pages in a real Chromium needs: `node WALK.mjs PLAN SHOTS`.
//
// PLAN is JSON from the test that serves the town: its address and what to open.
// Everything that is not as it should be is listed, and the exit status says
// whether there was any (`finish`). SHOTS is where screenshots are put.

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const [planFile, shots] = process.argv.slice(2);
export const plan = JSON.parse(await readFile(planFile, "utf8"));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
await mkdir(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

export const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };
const WAIT_MS = 15_000;

export const wrong = [];
export const expect = (holds, what) => {
  if (!holds) wrong.push(what);
};

/** Opens a page and gives it to `look`; no console error, no other host. */
export const open = async (name, address, { locale = "zh-CN", size = "phone", before, init, ...more }, look) => {
  const context = await browser.newContext({ locale, viewport: SIZES[size], ...more });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const [status, errors] = [{ value: null }, []];
  // A page with an error's status is one on purpose; Chromium reports it.
  page.on("console", (line) => {
    if (line.type() === "error" && !/status of (400|401|404|422|503)/.test(line.text())) errors.push(line.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    const isOwn = url.origin === plan.address || ["data:", "file:", "blob:"].includes(url.protocol);
    expect(isOwn, `${name}: a request to ${url.origin}`);
  });
  try {
    if (init) await page.addInitScript(init);
    if (before) await before(page);
    status.value = (await page.goto(address))?.status();
    await look(page, status.value);
  } catch (error) {
    wrong.push(`${name}: ${error.message}`);
  }
  for (const error of errors) wrong.push(`${name}: console: ${error}`);
  await context.close();
};

export const shot = (page, name) => page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });

/** What is first seen of a page on a telephone: the pictures of the README are made so. */
export const firstSight = (page, name) => page.screenshot({ path: `${shots}/first-${name}.png` });

/** Accessibility faults that axe calls serious or worse. */
export const accessible = async (page, name) => {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const { id, impact, nodes } of violations) {
    if (["serious", "critical"].includes(impact)) wrong.push(`${name}: axe: ${id}: ${nodes[0].html}`);
  }
};

/** Sizes that people with poor eyes or large thumbs need. */
export const readable = async (page, name) => {
  const sizes = await page.evaluate(() => ({
    body: Number.parseFloat(getComputedStyle(document.body).fontSize),
    verdict: Number.parseFloat(getComputedStyle(document.querySelector("h1")).fontSize),
    small: [...document.querySelectorAll("nav a, summary, .act, button, .tick, input:not([type=hidden], [type=checkbox])")]
      .filter((it) => it.getBoundingClientRect().height < 44)
      .map((it) => it.outerHTML.slice(0, 80)),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  expect(sizes.body >= 18 && sizes.verdict >= 28, `${name}: text of ${sizes.body} px, verdict of ${sizes.verdict}`);
  expect(sizes.small.length === 0, `${name}: smaller than 44 px: ${sizes.small}`);
  expect(sizes.overflow <= 0, `${name}: ${sizes.overflow} px wider than the screen`);
};

export const url = (path) => plan.address + path;

/** Says what was wrong, and whether anything was. */
export const finish = async () => {
  await browser.close();
  if (wrong.length > 0) {
    console.error(wrong.join("\n"));
    process.exit(1);
  }
};
