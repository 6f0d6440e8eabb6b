"use strict";
// Pictures of pages: screenshots.js DIRECTORY PICTURES [NAME...]. DIRECTORY has the
// pages; the PNG files go to PICTURES. PLAY_URL is the address of a playground with
// examples/shop; without it there are no pictures of that.
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

// played types a policy into the playground, and waits for what it does.
async function played(page) {
  const compiled = () => page.waitForFunction(() => document.getElementById("engine").textContent.includes("compiled in"), null, { timeout: 120000 });
  await compiled();
  await page.evaluate(() => showManifest("catalog.yaml"));
  await page.focus("#manifests textarea:visible");
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: catalog}\nspec:\n  podSelector: {matchLabels: {app: catalog}}\n");
  await page.waitForFunction(() => doc.byKey.has("NetworkPolicy/shop/catalog"), null, { timeout: 120000 });
  await compiled();
  await page.evaluate(() => pin([doc.byKey.get("NetworkPolicy/shop/catalog")], null, true));
  await page.locator("#manifests").evaluate((e) => { e.scrollTop = e.scrollHeight; });
  await page.evaluate(() => { byId("engine").textContent = "compiled"; }); // how long that took is another each time
}

for (const [look, how] of Object.entries({ ...wide, narrow: looks.narrow })) {
  pictures["play-" + look] = [null, "#from=shop/cart-0&to=svc/shop/catalog&port=80", how, played];
}

async function main([from, to, ...names]) {
  const browser = await launch();
  for (const name of names.length ? names : Object.keys(pictures)) {
    const [file, fragment, look, act] = pictures[name];
    if (!file && !process.env.PLAY_URL) continue;
    const page = await open(browser, (file ? path.resolve(from, file) : process.env.PLAY_URL) + fragment, look);
    if (act) await act(page);
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
