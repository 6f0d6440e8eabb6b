"use strict";
// With an engine the manifests are edited. The engine here has two answers: the
// document of the manifests with a policy, and that without.
const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { launch, open } = require(process.env.PLANEC_BROWSER + "/launch.js");

const documents = { open: fs.readFileSync(process.env.PAGE_OPEN, "utf8"), closed: fs.readFileSync(process.env.PAGE_CLOSED, "utf8") };
const policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: default-deny, namespace: shop}\nspec:\n  podSelector: {}\n";

let browser, page, shell;
before(async () => {
  browser = await launch();
  shell = process.env.PAGE_SHELL;
});
after(async () => { await browser.close(); });

// engine is the script that makes window.planec.
const engine = `window.planec = (() => {
  const documents = ${JSON.stringify(documents)}, calls = [];
  return {
    calls, settings: "clusterCIDR: [10.244.0.0/16]\\n",
    files: [{ name: "cluster.yaml", text: "kind: Namespace\\n" }, { name: "policies.yaml", text: "# none yet\\n" }],
    async compile(input) {
      calls.push(input);
      const text = input.files.map((f) => f.text).join("\\n"), d = JSON.parse(text.includes("kind: NetworkPolicy") ? documents.closed : documents.open);
      if (text.includes("kind: Netw0rk")) d.diagnostics = [{ severity: "error", code: "PLC0012", file: "policies.yaml", line: 2, message: "no such kind", hint: "look at its name" }];
      return d;
    },
    async run(args, files, settings) {
      calls.push({ args, files, settings });
      if (args.includes("192.0.2.99") && !args.includes("--first-node")) return { code: 2, stdout: "", stderr: "planec: --node is missing: say which node the packet reaches\\n" };
      return { code: 0, stderr: "", stdout: JSON.stringify({ verdict: files.some((f) => f.text.includes("NetworkPolicy")) ? "drop" : "pass", endpoints: [], masquerade: false, node: "node-a", steps: [] }) };
    },
  };
})();`;

const texts = (selector) => page.locator(selector).allTextContents();
const start = async (url) => {
  page = await open(browser, url, undefined, engine);
  await page.waitForFunction(() => document.getElementById("engine").textContent.includes("compiled in"));
};
const edges = async () => {
  await page.click("#views [data-view=map]");
  const list = await texts("#edges .name");
  await page.click("#views [data-view=code]");
  return list;
};
const typed = async (text) => {
  await page.click("#manifest-files [data-name='policies.yaml']");
  await page.focus("#manifests textarea:visible");
  await page.keyboard.press("Control+A");
  const before = await page.evaluate(() => window.planec.calls.length);
  await page.keyboard.insertText(text);
  await page.waitForFunction((n) => window.planec.calls.length > n && document.getElementById("engine").textContent.includes("compiled in"), before);
};

test("a policy is typed, an edge goes; the link opens the same again", async () => {
  await start(shell);
  assert.deepEqual(await edges(), ["outside → shop/web", "shop/web → shop/db"]);
  await page.fill("#from", "shop/web-0");
  await page.fill("#to", "shop/db-0");
  await page.fill("#port", "5432");
  await page.click("#ask");
  assert.match(await page.textContent("#verdict"), /arrives/);
  await typed(policy);
  assert.deepEqual(await edges(), ["shop/web → shop/db"]);
  await page.waitForFunction(() => /is dropped/.test(document.getElementById("verdict").textContent));
  assert.match((await texts("#manifests .row .code .t-key")).join(" "), /kind/);
  const args = await page.evaluate(() => window.planec.calls.filter((c) => c.args).pop());
  assert.deepEqual(args.args.slice(0, 7), ["trace", "--from", "shop/web-0", "--to", "shop/db-0", "--port", "5432/tcp"]);
  assert.equal(args.settings, "clusterCIDR: [10.244.0.0/16]\n");
  await page.waitForFunction(() => location.hash.includes("edit="));
  const link = page.url();
  await start(link);
  assert.equal(await page.inputValue("#manifests textarea:visible"), policy);
  assert.deepEqual(await edges(), ["shop/web → shop/db"]);
  await page.waitForFunction(() => /is dropped/.test(document.getElementById("verdict").textContent));
  assert.deepEqual(page.problems, []);
});

test("the engine is asked about the whole way, from outside too", async () => {
  await start(shell);
  const ask = async (from, to) => {
    await page.fill("#from", from);
    await page.fill("#to", to);
    await page.fill("#port", "5432");
    const before = await page.evaluate(() => planec.calls.length);
    await page.click("#ask");
    await page.waitForFunction((n) => planec.calls.length > n && /arrives/.test(document.getElementById("verdict").textContent), before);
    return page.evaluate((n) => planec.calls.slice(n).map((c) => c.args.slice(7).join(" ")), before);
  };
  assert.deepEqual(await ask("203.0.113.9", "shop/db-0"), ["-o json"]);
  const node = await page.evaluate(() => state.node);
  assert.ok(node);
  assert.deepEqual(await ask("203.0.113.9", "192.0.2.99"), ["-o json", `-o json --first-node ${node}`]);
});

test("undo, Tab, and leaving the editor by keyboard", async () => {
  await start(shell);
  await typed(policy);
  await page.keyboard.press("Tab");
  const area = "#manifests textarea:visible";
  assert.match(await page.inputValue(area), /\n {2}$/);
  await page.keyboard.press("Control+Z");
  assert.equal(await page.inputValue(area), policy);
  await page.keyboard.press("Control+Z");
  assert.equal(await page.inputValue(area), "# none yet\n");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.notEqual(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA");
});

test("findings stand in the margin and in the list, and the panes keep their place", async () => {
  await start(shell);
  await page.click("#backends [data-name=ebpf]");
  await page.locator("#rules").evaluate((e) => { e.scrollTop = 90; });
  await typed(policy.replace("NetworkPolicy", "Netw0rkPolicy"));
  assert.equal(await page.locator("#manifests .row.has-error").count(), 1);
  assert.match(await page.getAttribute("#manifests .row.has-error", "title"), /PLC0012: no such kind/);
  assert.match(await page.textContent("#findings"), /no such kind.*policies\.yaml:2.*look at its name/);
  assert.equal(await page.textContent("#backends [aria-selected=true]"), "ebpf");
  assert.equal(await page.locator("#rules").evaluate((e) => e.scrollTop), 90);
  assert.deepEqual(page.problems, []);
});

test("the caret's object is marked in the other panes", async () => {
  await start(shell);
  await typed(policy);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.waitForFunction(() => document.getElementById("status").textContent.includes("default-deny"));
  assert.ok(await page.locator("#meaning .pinned").count() > 0);
});
