"use strict";
// The packet box follows a connection over the nodes as internal/review/netpath does.
const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { launch, open } = require(process.env.PLANEC_BROWSER + "/launch.js");

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

test("whole ways on the page and in netpath agree", async () => {
  const page = await open(browser, process.env.PAGE_ANY), wrong = [];
  for (const c of JSON.parse(fs.readFileSync(process.env.PAGE_CASES, "utf8"))) {
    const got = await page.evaluate(({ document, questions }) => {
      setDocument(document);
      state.node = doc.nodes[0].name;
      return questions.map((q) => {
        try {
          const a = answerOfPage(q);
          return [a.verdict, a.endpoints.join(","), a.denied.join(","), a.masquerade].join(" ");
        } catch (problem) {
          return problem.message;
        }
      });
    }, { document: c.document, questions: c.questions });
    c.want.forEach((w, i) => { if (got[i] !== w) wrong.push(`seed ${c.seed}, ${JSON.stringify(c.questions[i])}: the page says ${got[i]}, netpath ${w}`); });
  }
  assert.deepEqual([wrong.length, ...wrong.slice(0, 5)], [0]);
});

const ask = async (page, from, to, port) => {
  for (const [id, text] of Object.entries({ from, to, port })) await page.fill("#" + id, text);
  await page.click("#ask");
  return page.textContent("#verdict");
};

test("a nodePort of another node is asked there", async () => {
  const page = await open(browser, process.env.PAGE_NODEPORTS);
  for (const from of ["a/web", "203.0.113.9"]) {
    for (const to of ["node/n1", "192.0.2.12", "::ffff:192.0.2.12"]) {
      assert.match(await ask(page, from, to, "30000"), /is dropped: NetworkPolicy a\/deny/);
      assert.match(await ask(page, from, to, "30001"), /is rejected: .*has no endpoint/);
      assert.match(await ask(page, from, to, "30003"), /arrives at a\/web/);
    }
  }
  assert.match(await ask(page, "203.0.113.9", "node/n1", "30002"), /is dropped: .*has no endpoint/);
  assert.match(await ask(page, "203.0.113.9", "node/n0", "30000"), /is dropped: NetworkPolicy a\/deny/);
  assert.deepEqual(page.problems, []);
});

test("where a node that the page lacks decides, nothing arrives", async () => {
  const page = await open(browser, process.env.PAGE_PART);
  const verdicts = await page.evaluate(() => {
    const here = doc.nodes[0].name, elsewhere = (doc.homes.find((h) => h.node && h.node !== here && h.pods) || {});
    const q = (from, to) => ({ from, to, port: "5432", protocol: "tcp" });
    const pod = elsewhere.pods[0], a = answerOfPage(q("203.0.113.9", pod));
    return { verdict: a.verdict, said: sentence(q("203.0.113.9", pod), a).join(""), node: elsewhere.node };
  });
  assert.equal(verdicts.verdict, "unknown");
  assert.match(verdicts.said, new RegExp(`is not answered: the rules of ${verdicts.node} decide, and this page does not have them`));
});

test("names of the language are no names of the page", async () => {
  const page = await open(browser, process.env.PAGE_NODEPORTS);
  for (const name of ["constructor", "__proto__", "toString"]) {
    assert.match(await ask(page, name, "node/n1", "80"), /^“from” is no address and no name of this page$/);
    assert.match(await ask(page, "a/web", name, "80"), /^“to” is no address and no name of this page$/);
  }
  for (const [fragment, said] of [
    ["#from=constructor&to=node/n1&port=80", /“from” is no address/], ["#from=a/web&to=__proto__&port=80", /“to” is no address/],
    ["#from=a/web&to=node/n1&port=80&protocol=constructor", /a protocol is tcp, udp or sctp/],
  ]) {
    const linked = await open(browser, process.env.PAGE_NODEPORTS + fragment);
    await linked.waitForFunction(() => document.getElementById("verdict").textContent);
    assert.match(await linked.textContent("#verdict"), said);
    assert.deepEqual(linked.problems, []);
  }
});
