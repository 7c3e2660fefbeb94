// A producer in a real Chromium: three steps to a certificate, without JavaScript
// on the phone; goods confirmed; nothing issued twice.

import { SIZES, accessible, expect, finish, firstSight, open, plan, readable, shot, url } from "./walk.mjs";

const signIn = async (page, token) => {
  await page.fill("#token", token);
  await page.click("main form[action='/sign-in'] button");
  await page.locator(".leave").waitFor();
};

// Forward; in the frame around it is the way out.
const NEXT = "main form:not(.leave) button[type=submit]:not(.plain)";
const HOSTILE = "黄瓜<script>alert(1)</script>";

const product = async (page, name) => {
  await page.fill("#product", name);
  await page.selectOption("#product_class", "vegetable");
  await page.fill("#origin", "河北省廊坊市固安县");
  await page.click(NEXT);
};

for (const [locale, tag] of [["zh-CN", "zh"], ["en", "en"]]) {
  for (const size of Object.keys(SIZES)) {
    const javaScriptEnabled = size === "desktop";
    const label = `${tag}-${size}`;
    const looked = async (page, name) => {
      await shot(page, `${name}-${label}`);
      if (!javaScriptEnabled) return;
      await accessible(page, `${name}-${label}`);
      await readable(page, `${name}-${label}`);
    };
    await open(`issue-${label}`, url("/issue"), { locale, size, javaScriptEnabled }, async (page) => {
      await signIn(page, plan.token);
      await looked(page, "home");
      await page.click("a.big");
      // A wrong check digit is said at its field, and what was typed stays.
      await page.fill("#gtin", "6901234567893");
      await product(page, HOSTILE);
      expect((await page.locator("#wrong-gtin").count()) === 1, `${label}: the check digit passed`);
      expect((await page.inputValue("#product")) === HOSTILE, `${label}: the product was lost`);
      await looked(page, "wrong");
      await page.fill("#gtin", "");
      await page.click(NEXT);
      await page.fill("#quantity", "12.5 公斤");
      await page.fill("#produced_on", plan.today);
      await page.fill("#lot", `L-${tag}-${size}`);
      await looked(page, "batch");
      await page.click(NEXT);
      expect((await page.locator(".preview .product").innerText()) === HOSTILE, `${label}: not shown as text`);
      await looked(page, "preview");
      if (label === "zh-phone") await firstSight(page, "issue");
      // Back, and forth again: nothing is lost.
      await page.click("button.plain");
      expect((await page.inputValue("#lot")) === `L-${tag}-${size}`, `${label}: back lost the batch`);
      await page.click(NEXT);
      // Twice, as impatient thumbs do: one certificate.
      await page.dblclick(NEXT);
      await page.locator("[role=status]").waitFor();
      const code = await page.locator("[role=status] .code").innerText();
      await looked(page, "issued");
      const listed = await page.locator("details[data-number]", { hasText: code }).count();
      expect(listed === 1, `${label}: listed ${listed} times`);
    });
  }
}

// Goods are confirmed by whoever receives them.
await open("receive", url("/issue"), { locale: "en", javaScriptEnabled: false }, async (page) => {
  await signIn(page, plan.receiver);
  const waiting = page.locator("details", { has: page.locator("form[action='/issue/receive']") });
  await waiting.locator("summary").click();
  await shot(page, "waiting");
  await waiting.locator("button", { hasText: "It arrived" }).click();
  await page.locator(".leave").waitFor();
  expect((await page.locator("form[action='/issue/receive']").count()) === 0, "goods still wait");
});

await finish();
