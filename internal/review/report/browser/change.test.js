"use strict";
// The page of a change: what opens and closes, badges, changed lines, and the map.
const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { launch, open, looks } = require(process.env.PLANEC_BROWSER + "/launch.js");

let browser, page;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });
const fresh = async (fragment = "", look = looks.light) => { page = await open(browser, process.env.PAGE_CHANGE + fragment, look); };
const texts = (selector) => page.locator(selector).allTextContents();

test("the summary says what opens, and leads to the object and the line", async () => {
  await fresh();
  assert.equal(await page.textContent("#headline"), "This change opens 1 path and closes none");
  assert.deepEqual(await texts("#findings .tag"), ["opened"]);
  await page.click("#findings button");
  assert.match(await page.textContent("#status"), /NetworkPolicy shop\/default-deny/);
  assert.match(await page.evaluate(() => state.manifest), /policies\.yaml/);
  assert.match((await texts("#manifests .pinned .code")).join("\n"), /name: default-deny/);
  assert.deepEqual(page.problems, []);
});

test("objects have badges, lines have signs, and the switch shows the rest", async () => {
  await fresh();
  assert.deepEqual(await texts("#objects .tag"), ["− deleted"]);
  const rows = () => page.locator("#manifests .row").count();
  assert.ok(await page.locator("#manifests .row.old").count() > 3);
  assert.deepEqual([...new Set(await texts("#manifests .row.old .no"))], ["−"]);
  assert.ok(await page.locator("#rules .row.old").count() > 0);
  const few = await rows();
  await page.uncheck("#changes");
  assert.ok(await rows() > few);
});

test("on the map what opened and closed differs by more than colour", async () => {
  await fresh();
  await page.click("#views [data-view=map]");
  assert.deepEqual(await texts("#map .edge.opened .label"), ["+ every port"]);
  assert.deepEqual(await texts("#map .edge.closed .label"), ["− 5432/tcp"]);
  const look = (selector, name) => page.locator(selector).first().evaluate((e, n) => getComputedStyle(e)[n], name);
  assert.notEqual(await look("#map .closed .wire", "strokeDasharray"), await look("#map .opened .wire", "strokeDasharray"));
  assert.deepEqual(await texts("#edges .tag"), ["opened", "closed"]);
  await page.focus("#edges");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.match(await page.textContent("#edge"), /outside → shop\/web[^]*opened: every port[^]*policies\.yaml/);
  await page.click("#edge .link");
  assert.equal(await page.isVisible("#pane-manifests"), true);
  assert.match((await texts("#manifests .pinned .code")).join("\n"), /name: default-deny/);
  assert.deepEqual(page.problems, []);
});

test("the map of one namespace", async () => {
  await fresh("#view=map");
  assert.equal(await page.isVisible("#pane-map"), true);
  await page.selectOption("#map-namespace", "monitoring");
  assert.deepEqual((await texts("#map .box text:first-of-type")).sort(), ["monitoring/prometheus", "shop/web"]);
});

test("more workloads than fit are drawn by namespace", async () => {
  page = await open(browser, process.env.PAGE_MANY + "#view=map");
  assert.match(await page.textContent("#map-note"), /100 workloads.*by namespace/);
  assert.equal(await page.locator("#map .box").count(), 10);
  await page.locator("#map .box").nth(3).click();
  assert.notEqual(await page.inputValue("#map-namespace"), "all namespaces");
  assert.ok(await page.locator("#map .box").count() >= 10);
  assert.deepEqual(page.problems, []);
});

test("markup in names and files is text", async () => {
  page = await open(browser, process.env.PAGE_HOSTILE);
  assert.equal(await page.evaluate(() => window.owned), undefined);
  assert.equal(await page.locator("main img, main b").count(), 0);
  for (const name of await page.locator("#manifest-files button").count() ? [1] : []) assert.ok(name);
  assert.deepEqual(page.problems, []);
});
