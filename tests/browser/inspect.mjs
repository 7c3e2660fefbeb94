// An inspector in a real Chromium: signs in, looks a code up, holds it.

import { SIZES, accessible, expect, finish, open, plan, readable, shot, url } from "./walk.mjs";

/** Types the token and comes back to the page that was asked for. */
const signIn = async (page) => {
  await page.fill("#token", plan.token);
  await page.click("main form[action='/sign-in'] button");
  await page.locator(".leave").waitFor();
};

const lookUp = async (page, text) => {
  await page.fill("#ask", text);
  await page.click("form.ask button");
};

for (const [locale, tag] of [["zh-CN", "zh"], ["en", "en"]]) {
  for (const size of Object.keys(SIZES)) {
    const javaScriptEnabled = size === "desktop";
    const label = `${tag}-${size}`;
    await open(`inspect-${label}`, url("/inspect"), { locale, size, javaScriptEnabled }, async (page) => {
      expect(new URL(page.url()).pathname === "/sign-in", `${label}: nobody is shown the board: ${page.url()}`);
      await shot(page, `sign-in-${label}`);
      if (javaScriptEnabled) await accessible(page, `sign-in-${label}`);
      await signIn(page);
      expect(new URL(page.url()).pathname === "/inspect", `${label}: led to ${page.url()}`);
      await shot(page, `board-${label}`);
      if (javaScriptEnabled) {
        await accessible(page, `board-${label}`);
        await readable(page, `board-${label}`);
      }
      await lookUp(page, plan.code.toLowerCase());
      const status = await page.locator("[data-status]").getAttribute("data-status");
      expect(status === "valid", `${label}: ${status}`);
      await shot(page, `unit-${label}`);
      if (javaScriptEnabled) {
        await accessible(page, `unit-${label}`);
        await readable(page, `unit-${label}`);
      }
      await lookUp(page, plan.nothing);
      expect((await page.locator("[data-status]").getAttribute("data-status")) === "unknown", `${label}: not unknown`);
    });
  }
}

// A hold from a phone, without JavaScript: asked, confirmed, shown.
await open("hold", url("/inspect"), { locale: "en", javaScriptEnabled: false }, async (page) => {
  await signIn(page);
  await lookUp(page, plan.code);
  await page.click("details.acts summary");
  const form = page.locator("form", { has: page.locator("input[name=act][value=hold]") });
  await form.locator("input[name=reason]").fill("<b>suspected</b>");
  await form.locator("button").click();
  await shot(page, "hold-asked");
  expect((await page.locator("dd").first().innerText()) === "<b>suspected</b>", "the reason is not shown as text");
  await page.click("form[action='/inspect/act'] button");
  await page.locator("[role=status]").waitFor();
  await shot(page, "hold-done");
  await page.click("[role=status] a");
  const status = await page.locator("[data-status]").getAttribute("data-status");
  expect(status === "on_hold", `after the hold: ${status}`);
  await page.click(".leave button");
  expect(new URL(page.url()).pathname === "/sign-in", "signed out");
  await page.goto(url("/inspect"));
  expect(new URL(page.url()).pathname === "/sign-in", "a session outlives its end");
});

await finish();
