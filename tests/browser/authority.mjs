// An authority in a real Chromium: finds an entity, invites it; the invited joins.

import { SIZES, accessible, expect, finish, firstSight, open, plan, readable, shot, url } from "./walk.mjs";

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
    const invited = { code: null };
    await open(`authority-${label}`, url("/authority"), { locale, size, javaScriptEnabled }, async (page) => {
      await page.fill("#token", plan.token);
      await page.click("form[action='/sign-in'] button");
      await page.locator(".leave").waitFor();
      await looked(page, "list");
      await page.fill("#entity", plan.entity.toLowerCase());
      await page.click("form[action='/authority'] button");
      await looked(page, "entity");
      await page.click("form[action='/authority/invite'] button");
      invited.code = await page.locator(".product.code").innerText();
      expect(/^J(-[0-9A-Z]{4}){4}-[0-9A-Z]$/.test(invited.code), `${label}: ${invited.code}`);
      await looked(page, "invitation");
      if (label === "zh-phone") await firstSight(page, "authority");
    });
    await open(`join-${label}`, url(`/join?code=${invited.code}`), { locale, size, javaScriptEnabled }, async (page) => {
      await looked(page, "join");
      await page.click("form[action='/join'] button");
      await page.locator("[role=status]").waitFor();
      await looked(page, "welcome");
      await page.click("a.big");
      expect(new URL(page.url()).pathname === "/issue", `${label}: led to ${page.url()}`);
      await page.goto(url(`/join?code=${invited.code}`));
      expect((await page.locator("[role=alert]").count()) === 1, `${label}: an invitation twice`);
    });
  }
}

await finish();
