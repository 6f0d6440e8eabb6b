"use strict";
// What axe-core finds wrong with a page, in lines that say where.
const fs = require("node:fs");
const source = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

async function barriers(page) {
  await page.evaluate(source);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id} (${v.impact}): ${v.help}: ${n.target.join(" ")}: ${n.html.slice(0, 160)}: ${(n.failureSummary || "").replace(/\s+/g, " ").slice(0, 300)}`));
}

module.exports = { barriers };
