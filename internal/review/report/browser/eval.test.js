"use strict";
// The page's evaluator gives the answers that the file has.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { launch, open } = require(process.env.PLANEC_BROWSER + "/launch.js");

test("the page's evaluator and the compiler's agree", async () => {
  const cases = JSON.parse(fs.readFileSync(process.env.PAGE_CASES, "utf8"));
  const browser = await launch();
  const page = await open(browser, process.env.PAGE_ANY);
  const wrong = [];
  for (const c of cases) {
    const got = await page.evaluate(({ program, packets }) => {
      const e = new Evaluator(program);
      return packets.map((k) => {
        const r = e.evaluate({ src: parseAddress(k.Src), dst: parseAddress(k.Dst), protocol: k.Protocol, port: k.Port, from: k.From, interface: k.Interface,
          type: k.Type, code: k.Code, sourcePort: k.SourcePort });
        const list = (l) => l.map((x) => x.address + (x.masquerade ? "m" : "") + (x.hairpin ? "h" : "")).sort().join(",");
        return [r.verdict, list(r.endpoints), list(r.denied), r.masquerade, r.logs.map((l) => `"${l}"`).sort().join(",")].join(" ");
      });
    }, { program: c.program, packets: c.packets });
    c.want.forEach((w, i) => { if (got[i] !== w) wrong.push(`seed ${c.seed}, ${JSON.stringify(c.packets[i])}: the page says ${got[i]}, ir/eval ${w}`); });
  }
  await browser.close();
  assert.deepEqual(wrong.slice(0, 5), []);
});
