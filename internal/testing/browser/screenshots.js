"use strict";
// Pictures of pages: screenshots.js DIRECTORY PICTURES [NAME...]. DIRECTORY has the
// pages; the PNG files go to PICTURES.
const path = require("node:path");
const { launch, open, looks } = require("./launch.js");

const size = { width: 1440, height: 860 };
const wide = { light: { ...looks.light, viewport: size }, dark: { ...looks.dark, viewport: size } };
const question = "from=203.0.113.7&to=198.51.100.10&port=80";

const pictures = {
  "report-light": ["report.html", `#object=Service/shop/frontend&${question}`, wide.light],
  "report-dark": ["report.html", "#object=Service/shop/cart&backend=iptables", wide.dark],
  "report-narrow": ["report.html", `#object=Service/shop/frontend&${question}`, looks.narrow],
  "change-light": ["change.html", "", wide.light],
  "change-dark": ["change.html", "", wide.dark],
  "change-narrow": ["change.html", "#view=map", looks.narrow],
  "map-light": ["change.html", "#view=map", wide.light],
  "map-dark": ["change.html", "#view=map", wide.dark],
  "matrix-light": ["matrix.html", "", { ...wide.light, viewport: { width: 1100, height: 700 } }],
  "matrix-dark": ["matrix.html", "", { ...wide.dark, viewport: { width: 1100, height: 700 } }],
  "matrix-narrow": ["matrix.html", "", looks.narrow],
  "trace-light": ["trace.html", "", { ...wide.light, viewport: { width: 1100, height: 700 } }],
  "trace-dark": ["trace.html", "", { ...wide.dark, viewport: { width: 1100, height: 700 } }],
  "trace-narrow": ["trace.html", "", looks.narrow],
};

async function main([from, to, ...names]) {
  const browser = await launch();
  for (const name of names.length ? names : Object.keys(pictures)) {
    const [file, fragment, look] = pictures[name];
    const page = await open(browser, path.resolve(from, file) + fragment, look);
    await page.waitForTimeout(200);
    await page.screenshot({ path: path.join(to, name + ".png"), animations: "disabled", caret: "hide" });
    if (page.problems.length) throw new Error(`${name}: ${page.problems.join("; ")}`);
    await page.context().close();
  }
  await browser.close();
}

main(process.argv.slice(2)).catch((e) => {
  console.error(e);
  process.exit(1);
});
