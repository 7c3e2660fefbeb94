// The inspector's pages in a real Chromium: signed in by typing a token.

import { SIZES, accessible, expect, finish, firstSight, open, plan, readable, shot, url } from "./walk.mjs";

/** Signs in by typing, and is led to the page asked for. */
const signIn = async (page, token, next) => {
  await page.goto(url(`/sign-in?next=${encodeURIComponent(next)}`));
  await page.fill("#token", token);
  await Promise.all([page.waitForURL((at) => at.pathname === "/inspect"), page.click("main form button")]);
};

/** Opens a page as somebody who signed in. */
const opened = (name, path, { token = plan.inspector, ...how }, look) =>
  open(name, url("/sign-in"), how, async (page) => {
    await signIn(page, token, path);
    await look(page);
  });

const LANGUAGES = [["zh-CN", "zh"], ["en", "en"]];

// Every answer, in both languages, on both sizes; without JavaScript on the phone
// all of it can be read.
for (const { name, ask, wanted } of plan.answers) {
  for (const [locale, tag] of LANGUAGES) {
    for (const size of Object.keys(SIZES)) {
      const label = `${name}-${tag}-${size}`;
      const path = ask === "" ? "/inspect" : `/inspect?ask=${encodeURIComponent(ask)}`;
      const javaScriptEnabled = size === "desktop";
      await opened(label, path, { locale, size, javaScriptEnabled }, async (page) => {
        const text = await page.locator("main").innerText();
        for (const part of wanted[tag]) expect(text.includes(part), `${label}: lacks ${part}`);
        if (javaScriptEnabled) {
          await accessible(page, label);
          await readable(page, label);
        }
        await shot(page, label);
        if (label === "unit-zh-phone") await firstSight(page, "inspect");
      });
    }
  }
}

// On a phone: sizes and accessibility with JavaScript, nothing wider than the screen.
await opened("phone", `/inspect?ask=${plan.code}`, { locale: "en" }, async (page) => {
  await accessible(page, "phone");
  await readable(page, "phone");
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow <= 0, `phone at 200 %: ${overflow} px wider than the screen`);
});

// A code is typed, held with a reason, confirmed, and the page says so: without
// JavaScript, on a phone.
await opened("hold", "/inspect", { token: plan.authority, locale: "en", javaScriptEnabled: false }, async (page) => {
  const go = (action) => Promise.all([page.waitForNavigation(), action()]);
  await page.fill("#ask", plan.toHold);
  await go(() => page.click("form.ask button"));
  expect((await page.locator("[data-status]").getAttribute("data-status")) === "valid", "hold: not valid before");
  await go(() => page.click("a:text-is('Hold')"));
  await shot(page, "hold-form");
  await page.fill("#reason", "<b>residue</b>");
  await go(() => page.click("button:text-is('Check and go on')"));
  await shot(page, "hold-confirm");
  expect((await page.locator("dd", { hasText: "<b>residue</b>" }).count()) === 1, "hold: the reason is not shown as text");
  await go(() => page.click("button:text-is('Sign it')"));
  expect((await page.locator("[role=status]").innerText()).startsWith("Recorded"), "hold: not recorded");
  await shot(page, "hold-recorded");
  await go(() => page.click("a:text-is('Go on')"));
  expect((await page.locator("[data-status]").getAttribute("data-status")) === "on_hold", "hold: not on hold after");
});

// A code seen by the camera is looked up; this machine has neither camera nor
// detector, so that both are played.
const seeing = (text) => `
  globalThis.BarcodeDetector = class {
    async detect(video) { return video.readyState > 1 ? [{ rawValue: ${JSON.stringify(text)} }] : []; }
  };
  const picture = () => {
    const canvas = document.createElement("canvas");
    const drawn = canvas.getContext("2d");
    setInterval(() => drawn.fillRect(0, 0, Math.random() * 300, 100), 30);
    return canvas.captureStream(30);
  };
  Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia: async () => picture() } });
`;
const address = `https://trace.example/t/${plan.code}`;
await opened("camera", "/inspect", { locale: "en", init: seeing(address) }, async (page) => {
  await Promise.all([page.waitForURL(/ask=https/), page.click("text=Scan with the camera")]);
  const status = await page.locator("[data-status]").getAttribute("data-status");
  expect(status === "valid", `camera: ${status}`);
  await accessible(page, "camera");
  await readable(page, "camera");
});
await opened("no camera", "/inspect", { locale: "en", init: "delete globalThis.BarcodeDetector" }, async (page) => {
  expect((await page.locator("text=Scan with the camera").count()) === 0, "no camera: there is a button");
});

// The forms, by eye and by machine.
for (const act of ["inspection", "sample", "recall"]) {
  await opened(act, "/inspect", { token: plan.authority }, async (page) => {
    await page.goto(url(`/inspect/acts/${act}?of=${plan.code}`));
    await accessible(page, act);
    await readable(page, act);
    await shot(page, `${act}-form`);
  });
}

// Signed out, nothing is shown.
await opened("signed out", "/inspect", { locale: "en" }, async (page) => {
  await Promise.all([page.waitForURL(/sign-in/), page.click("form.leave button")]);
  await page.goto(url(`/inspect?ask=${plan.code}`));
  expect(new URL(page.url()).pathname === "/sign-in", `signed out: at ${page.url()}`);
});

await finish();
