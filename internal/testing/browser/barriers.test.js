"use strict";
// axe-core finds nothing in the pages of BARRIERS, a list of {name, url}: light, dark
// and narrow.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { launch, open, looks } = require("./launch.js");
const { barriers } = require("./axe.js");

const pages = JSON.parse(process.env.BARRIERS);

test("no barrier for people who use keys, a screen reader or other colours", async (t) => {
  const browser = await launch();
  t.after(() => browser.close());
  for (const { name, url } of pages) {
    for (const [look, how] of Object.entries(looks)) {
      await t.test(`${name}, ${look}`, async () => {
        const page = await open(browser, url, how);
        assert.deepEqual(await barriers(page), []);
        assert.deepEqual(page.problems, []);
        await page.context().close();
      });
    }
  }
});
