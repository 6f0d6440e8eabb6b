"use strict";
// What a reviewer does with the page of examples/shop.
const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const { launch, open, looks } = require(process.env.PLANEC_BROWSER + "/launch.js");

let browser, page;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const shop = process.env.PAGE_SHOP;
const texts = (selector) => page.locator(selector).allTextContents();
const pinned = async (pane) => (await texts(`#${pane} .pinned .code`)).join("\n");
const fresh = async (fragment = "", look = looks.light) => { page = await open(browser, shop + fragment, look); };
const sound = () => assert.deepEqual(page.problems, []);

test("a pinned object is marked in all panes, and its file is shown", async () => {
  await fresh();
  await page.fill("#filter", "service cart");
  assert.equal((await texts("#objects .item")).length, 1);
  await page.click("#objects .item");
  assert.match(await pinned("manifests"), /kind: Service[^]*sessionAffinity: ClientIP/);
  assert.match(await pinned("meaning"), /Service shop\/cart[^]*10\.96\.0\.20:80[^]*keeps its endpoint until 3600 s/);
  for (const [backend, file] of [["nftables", "rules.nft"], ["iptables", "iptables.rules"], ["ipvs", "ipvsadm.rules"], ["ebpf", "maps.txt"]]) {
    await page.click(`#backends [data-name=${backend}]`);
    if (await page.isVisible("#file")) await page.selectOption("#file", file);
    const marked = await pinned("rules");
    assert.match(marked, /10\.96\.0\.20/, backend);
    assert.doesNotMatch(marked, /shop\/payment/, backend);
  }
  assert.match(await page.textContent("#status"), /Service shop\/cart.*lines? in the manifest/);
  await page.click("#raw");
  assert.match(await pinned("meaning"), /frontend "shop\/cart\/http\/tcp\/cluster-ip\/10\.96\.0\.20"[^]*affinity 3600/);
  sound();
});

test("a click on a line of the rules marks its Service, a second one lets go", async () => {
  await fresh();
  const line = page.locator("#rules .row", { hasText: "shop/payment" }).first();
  await line.click();
  assert.match(await page.textContent("#status"), /Service shop\/payment/);
  assert.match(await page.evaluate(() => state.manifest), /payment\.yaml/);
  await line.click();
  assert.equal((await texts(".pinned")).length, 0);
  sound();
});

test("pointing at a line marks what belongs to it", async () => {
  await fresh();
  await page.locator("#meaning .row", { hasText: "Service shop/catalog" }).hover();
  assert.match((await texts("#rules .hot")).join("\n"), /shop\/catalog/);
  await page.locator("#headline").hover();
  assert.equal((await texts(".hot")).length, 0);
});

test("the packet box answers in words, and its link opens the same answer", async () => {
  await fresh();
  await page.fill("#from", "203.0.113.7");
  await page.fill("#to", "198.51.100.10");
  await page.fill("#port", "80");
  await page.click("#ask");
  const said = await page.textContent("#verdict");
  assert.match(said, /^203\.0\.113\.7 → 198\.51\.100\.10:80\/tcp arrives at .*shop\/frontend-0/);
  await page.click("#steps-toggle");
  assert.match((await texts("#steps li")).join("\n"), /frontend.*examples\/shop\/frontend\.yaml/);
  const link = page.url();
  assert.match(link, /#.*from=203\.0\.113\.7/);
  const first = page;
  page = await open(browser, link);
  assert.equal(await page.textContent("#verdict"), said);
  page = first;
  await page.click("#steps .link >> nth=0");
  assert.match(await page.textContent("#status"), /Service shop\/frontend/);
  sound();
});

test("what is refused, and what is no question", async () => {
  await fresh();
  const ask = async (from, to, port) => {
    await page.fill("#from", from);
    await page.fill("#to", to);
    await page.fill("#port", port);
    await page.click("#ask");
    return page.textContent("#verdict");
  };
  assert.match(await ask("203.0.113.7", "svc/shop/cart", "81"), /is rejected: 10\.96\.0\.20 is a ClusterIP, but 81\/tcp is none of its ports/);
  assert.match(await ask("203.0.113.7", "nonsense", "80"), /“to” is no address/);
  assert.match(await ask("203.0.113.7", "svc/shop/cart", "0"), /a port is a number/);
  assert.match(await ask("8.8.8.8", "198.51.100.10", "80"), /is dropped/);
  sound();
});

test("the keyboard alone", async () => {
  await fresh();
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip to the panes/);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.keyboard.press("/");
  await page.keyboard.type("service");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.deepEqual(await texts("#objects .pinned .name"), ["shop/catalog"]);
  const active = await page.getAttribute("#objects", "aria-activedescendant");
  assert.equal(await page.getAttribute("#" + active, "aria-selected"), "true");
  await page.keyboard.press("Escape");
  assert.equal((await texts(".pinned")).length, 0);
  await page.focus("#rules");
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  for (let i = 0; i < 9; i++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.notEqual(await pinned("meaning"), "");
  await page.focus("#backends [aria-selected=true]");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.textContent("#backends [aria-selected=true]"), "iptables");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "iptables");
  sound();
});

test("a link brings back objects, backend and file; another link changes them", async () => {
  await fresh("#object=Service/shop/payment&backend=ipvs");
  assert.match(await page.textContent("#status"), /Service shop\/payment/);
  assert.equal(await page.textContent("#backends [aria-selected=true]"), "ipvs");
  await page.evaluate(() => { location.hash = "#object=Service/shop/cart&node=node-b"; });
  await page.waitForFunction(() => document.getElementById("status").textContent.includes("shop/cart"));
  assert.equal(await page.inputValue("#node"), "node-b");
  sound();
});

test("narrow: one pane at a time, nothing wider than the screen", async () => {
  await fresh("#object=Service/shop/cart", looks.narrow);
  for (const [view, pane] of [["objects", "objects"], ["manifests", "manifests"], ["meaning", "meaning"], ["rules", "rules"]]) {
    await page.click(`#views [data-view=${view}]`);
    assert.equal(await page.isVisible("#pane-" + pane), true, view);
    assert.equal(await page.locator(".pane:visible").count(), 1);
    assert.notEqual(await page.locator(`#${pane} .pinned`).count(), 0, view);
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  sound();
});

test("the switch of colours", async () => {
  await fresh();
  const color = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await color();
  await page.click("#theme");
  assert.notEqual(await color(), light);
  assert.equal(await page.getAttribute("#theme", "aria-pressed"), "true");
});
