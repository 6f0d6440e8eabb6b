"use strict";
// How long a key takes, from the event to the painted page of its rules. It prints and
// asserts no time. PLAY_URL is `planec play` with its example.
const { test } = require("node:test");
const fs = require("node:fs");
const assert = require("node:assert/strict");
const { launch, open } = require(process.env.PLANEC_BROWSER + "/launch.js");

// watch runs in the page before its scripts: it notes the time of each key, and when the
// page that has its rules is on the screen.
const watch = () => {
  globalThis.keys = [];
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => resolve(performance.now());
    channel.port2.postMessage(0);
  }));
  document.addEventListener("input", (e) => {
    const key = { at: e.timeStamp };
    globalThis.keys.push(key);
    const engine = document.querySelector("#engine");
    new MutationObserver(async (_, o) => {
      if (!engine.textContent.startsWith("compiled in")) return;
      o.disconnect();
      key.drawn = performance.now() - key.at;
      key.painted = await painted() - key.at;
    }).observe(engine, { childList: true, characterData: true, subtree: true });
  }, true);
};

// spent is the CPU time of all processes of the browser in ms, which says more than the clock
// on a machine that others use; undefined where the system does not tell.
function spent() {
  const ticks = 100; // in a second, of Linux
  const all = new Map();
  try {
    for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /s, "").split(" ");
        all.set(Number(pid), { parent: Number(fields[1]), used: (Number(fields[11]) + Number(fields[12])) * 1000 / ticks });
      } catch { /* it has ended */ }
    }
  } catch { return undefined; }
  const isOurs = (pid) => pid === process.pid || all.has(pid) && isOurs(all.get(pid).parent);
  return [...all].filter(([pid]) => pid !== process.pid && isOurs(pid)).reduce((sum, [, p]) => sum + p.used, 0);
}

const sorted = (list) => [...list].sort((a, b) => a - b);
const inWords = (list) => `median ${sorted(list)[list.length >> 1].toFixed(0)} ms of ${list.length}, ${Math.min(...list).toFixed(0)} to ${Math.max(...list).toFixed(0)} ms`;

// strokes types a digit, as often as wanted, and takes it back.
async function strokes(page, count) {
  const from = await page.evaluate(() => globalThis.keys.length);
  for (let i = 0; i < count; i++) {
    await page.keyboard.press(i % 2 ? "Backspace" : "1");
    await page.waitForFunction((n) => globalThis.keys.length === n && globalThis.keys[n - 1].painted, from + i + 1);
  }
  return page.evaluate((from) => globalThis.keys.slice(from), from);
}

test("how long a key takes", async (t) => {
  const browser = await launch();
  try {
    const page = await open(browser, process.env.PLAY_URL, undefined, watch);
    await page.waitForFunction(() => document.querySelector("#engine").textContent.startsWith("compiled in"));
    await page.evaluate(() => {
      const area = [...document.querySelectorAll("textarea")].find((a) => !a.hidden && a.value.includes("kind: Service")), at = area.value.match(/port: \d+/);
      area.focus();
      area.setSelectionRange(at.index + at[0].length, at.index + at[0].length);
    });
    const first = await strokes(page, 10);
    await page.waitForTimeout(5000); // a reader looks before they type on
    const before = spent();
    const later = await strokes(page, 40);
    const after = spent();
    for (const [name, keys] of [["the first keys, at once", first], ["keys after five seconds", later]]) {
      t.diagnostic(`${name}: to the painted page ${inWords(keys.map((k) => k.painted))}; to the drawn one ${inWords(keys.map((k) => k.drawn))}`);
      t.diagnostic("  " + keys.map((k) => k.painted.toFixed(0)).join(" "));
    }
    if (before !== undefined) t.diagnostic(`CPU time of the browser for each of these: ${((after - before) / later.length).toFixed(0)} ms`);
    assert.equal(first.length + later.length, 50);
    assert.deepEqual(page.problems, []);
  } finally {
    await browser.close();
  }
});
