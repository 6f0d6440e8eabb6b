"use strict";
// The playground with the real compiler, in a browser. PLAY_URL is `planec play` with its
// example, PLAY_STATIC a folder of
// it behind another server, PLAY_EXAMPLE the document of the example as planec writes it, and PLAY_CASES
// command lines with the digests of the files that planec writes for them.
const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { launch, open } = require(process.env.PLANEC_BROWSER + "/launch.js");

let browser, page;
before(async () => {
  browser = await launch();
  page = await open(browser, process.env.PLAY_URL);
  await page.evaluate(() => planec.ready);
});
after(async () => {
  await browser.close();
});

test("the page compiles the example as planec does", async () => {
  const got = await page.evaluate(() => planec.compile({ files: planec.files, settings: planec.settings }));
  assert.deepEqual(got, JSON.parse(fs.readFileSync(process.env.PLAY_EXAMPLE, "utf8")));
});

test("the page writes the bytes that planec writes, for every golden case and backend", async (t) => {
  const cases = JSON.parse(fs.readFileSync(process.env.PLAY_CASES, "utf8"));
  let files = 0;
  const wrong = [];
  for (const c of cases) {
    const got = await page.evaluate(async ({ args, files }) => {
      const { code, stderr, written } = await planec.run(args, files, "");
      const digests = {};
      for (const f of written) {
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", f.data));
        digests[f.name] = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
      }
      return { code, stderr, digests };
    }, { args: c.args, files: c.files });
    files += Object.keys(got.digests).length;
    try {
      assert.deepEqual(got, { code: c.code, stderr: c.stderr, digests: c.digests });
    } catch (error) {
      wrong.push(c.name + ": " + error.message);
    }
  }
  t.diagnostic(`${cases.length} cases, ${files} files`);
  assert.deepEqual(wrong.slice(0, 3), []);
});

test("a keystroke gives another document", async (t) => {
  const { times, documents } = await page.evaluate(async () => {
    const times = [], documents = new Set();
    for (let i = 0; i < 25; i++) {
      const files = planec.files.map((f) => f.name !== "cart.yaml" ? f : { ...f, text: f.text.replaceAll("port: 80", "port: " + (8000 + i)) });
      const from = performance.now();
      documents.add(JSON.stringify((await planec.compile({ files, settings: planec.settings })).nodes));
      times.push(performance.now() - from);
    }
    return { times: times.sort((a, b) => a - b), documents: documents.size };
  });
  t.diagnostic(`from a change to its document: median ${times[12].toFixed(0)} ms of 25, ${times[0].toFixed(0)} to ${times[24].toFixed(0)} ms`);
  assert.equal(documents, 25);
});

test("what cannot be read is said, and the last document stays", async () => {
  const { last, now } = await page.evaluate(async () => {
    const last = await planec.compile({ files: planec.files, settings: planec.settings });
    const files = planec.files.map((f) => f.name !== "cart.yaml" ? f : { ...f, text: f.text + "---\na: [\n" });
    return { last, now: await planec.compile({ files, settings: planec.settings }) };
  });
  assert.deepEqual({ ...now, diagnostics: 0 }, { ...last, diagnostics: 0 });
  assert.ok(now.diagnostics.some((d) => d.severity === "error" && d.code === "PLC0001" && d.file === "cart.yaml" && d.hint), JSON.stringify(now.diagnostics));
  const wrongSettings = await page.evaluate(() => planec.compile({ files: planec.files, settings: "clusterCIDR: [nothing]\n" }));
  assert.ok(wrongSettings.diagnostics.some((d) => d.severity === "error"), JSON.stringify(wrongSettings.diagnostics));
});

test("of many changes at once the last one is answered to all", async () => {
  const got = await page.evaluate(async () => {
    const text = (i) => `apiVersion: v1\nkind: Service\nmetadata: {name: s${i}, namespace: a}\nspec: {clusterIP: None}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: node-a}\n`;
    const asked = Array.from({ length: 20 }, (_, i) => planec.compile({ files: [{ name: "a.yaml", text: text(i) }], settings: "" }));
    const documents = await Promise.all(asked);
    return { last: documents[19].objects.find((o) => o.kind === "Service").name, same: documents.filter((d) => d === documents[19]).length };
  });
  assert.deepEqual(got, { last: "s19", same: 19 });
});

test("hostile manifests are refused as planec refuses them, and the compiler goes on", async () => {
  const got = await page.evaluate(async () => {
    let bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (let i = 1; i < 12; i++) bomb += `a${i}: &a${i} [${Array(10).fill("*a" + (i - 1)).join(", ")}]\n`;
    const big = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata: {x: '" + "x".repeat(10 << 20) + "'}\n";
    const lint = (text) => planec.run(["lint", "-o", "json"], [{ name: "../../up.yaml", text }], "");
    const answers = [await lint(bomb), await lint(big), await lint("\u0000\u0000")];
    const deep = await lint("{".repeat(100000));
    const still = await planec.run(["version"], [], "");
    return { codes: answers.map((a) => a.code), findings: answers.map((a) => (JSON.parse(a.stdout)[0] ?? {}).code), still: still.code, deep };
  });
  assert.equal(got.deep.code, 2, got.deep.stderr);
  assert.match(got.deep.stderr, /nested too deeply/);
  assert.equal(got.still, 0);
  assert.deepEqual(got.findings.filter((code) => !/^PLC\d{4}$/.test(code)), [], JSON.stringify(got));
});

test("every command about manifests runs", async () => {
  const got = await page.evaluate(async () => {
    const lines = [["trace", "-o", "json", "--from", "shop/cart-0", "--to", "svc/shop/catalog", "--port", "http"], ["lint"], ["ir", "--node", "node-a"], ["explain", "PLC0711"], ["nonsense"]];
    const answers = [];
    for (const args of lines) {
      const { code, stdout, stderr } = await planec.run(args, planec.files, planec.settings);
      answers.push({ code, text: (stdout + stderr).slice(0, 300) });
    }
    return answers;
  });
  assert.deepEqual(got.map((a) => a.code), [0, 1, 0, 0, 2], JSON.stringify(got));
});

test("typing in the page recompiles", async (t) => {
  await page.reload();
  await page.evaluate(() => planec.ready);
  await page.waitForFunction(() => document.querySelector("#engine").textContent.startsWith("compiled in"));
  await page.waitForTimeout(5000); // a reader looks before they type
  const times = [];
  for (let i = 0; i < 25; i++) {
    // The time from the key to the page with its rules, as the page's own clock has it.
    times.push(await page.evaluate(async (port) => {
      const area = [...document.querySelectorAll("textarea")].find((a) => !a.hidden && a.value.includes("kind: Service"));
      const shown = new Promise((resolve) => {
        const engine = document.querySelector("#engine");
        new MutationObserver((_, o) => {
          if (!engine.textContent.startsWith("compiled in")) return;
          o.disconnect();
          resolve(performance.now());
        }).observe(engine, { childList: true, characterData: true, subtree: true });
      });
      area.value = area.value.replace(/port: \d+/, "port: " + port);
      const from = performance.now();
      area.dispatchEvent(new Event("input", { bubbles: true }));
      return await shown - from;
    }, 8000 + i));
  }
  times.sort((a, b) => a - b);
  t.diagnostic(`from a key to the page of its rules: median ${times[12].toFixed(0)} ms of 25, ${times[0].toFixed(0)} to ${times[24].toFixed(0)} ms`);
  assert.match(await page.evaluate(() => JSON.stringify(doc.nodes)), /8024/);
  // A backend that is chosen now is compiled now.
  await page.click("#backends [data-name='iptables']");
  await page.waitForFunction(() => shownNode().backends.find((b) => b.name === "iptables").files.some((f) => f.lines.length > 5));
  await page.waitForFunction(() => document.querySelector("#rules").textContent.includes("plc-"));
});

test("a folder of it compiles on any web server", async () => {
  const other = await open(browser, process.env.PLAY_STATIC);
  const got = await other.evaluate(() => planec.compile({ files: planec.files, settings: planec.settings }));
  assert.deepEqual(got, JSON.parse(fs.readFileSync(process.env.PLAY_EXAMPLE, "utf8")));
  assert.deepEqual(other.problems, []);
});

test("the page has no problems, and asks nothing of other machines", () => {
  assert.deepEqual(page.problems, []);
});
