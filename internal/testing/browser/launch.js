"use strict";
// A headless Chromium, and pages that are watched: what a page prints as an error, or
// asks another machine for, fails the test.
const { chromium } = require("playwright-core");

const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const looks = {
  light: { viewport: { width: 1440, height: 900 }, colorScheme: "light", reducedMotion: "reduce" },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: "dark", reducedMotion: "reduce" },
  narrow: { viewport: { width: 400, height: 800 }, colorScheme: "light", reducedMotion: "reduce" },
};

async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args, headless: true });
}

// open opens a page; url is an address or the path of a file. before runs in the page
// before its own scripts.
async function open(browser, url, look = looks.light, before) {
  const context = await browser.newContext({ ...look, permissions: [] });
  const page = await context.newPage();
  page.problems = [];
  page.on("console", (m) => { if (m.type() === "error") page.problems.push(m.text()); });
  page.on("pageerror", (e) => page.problems.push(String(e)));
  page.on("request", (r) => { if (!/^(file|data|blob):|^http:\/\/127\.0\.0\.1:/.test(r.url())) page.problems.push("asks for " + r.url()); });
  if (before) await page.addInitScript(before);
  await page.goto(url.startsWith("/") ? "file://" + url : url);
  return page;
}

module.exports = { launch, open, looks };
