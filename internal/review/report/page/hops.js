// The way of a connection over the nodes of the page: the first node's rules, and then
// those of the node where an endpoint is. Without an engine, eval.js answers.

// place finds the address of a name or of a text, of the other end's family.
function place(text, other) {
  const list = (doc.places[text] || [text]).map(parseAddress).filter(Boolean);
  return list.find((a) => !other || a.family === other.family) || null;
}

function evaluatorOf(node) {
  if (!doc.evaluators.has(node.name)) doc.evaluators.set(node.name, new Evaluator(node.program));
  return doc.evaluators.get(node.name);
}

// evaluateOn asks one node about a packet.
function evaluateOn(node, src, dst, port, protocol) {
  const e = evaluatorOf(node), local = node.program.node.local;
  const here = (node.pods || []).some((t) => same(parseAddress(t), src));
  const from = e.isOwn(src) ? "node" : here ? "pod" : "outside";
  const way = from === "pod" && local.interface ? local.interface + (local.mode === "interface-prefix" ? "0" : "") : from === "outside" ? "eth0" : "";
  const r = e.evaluate({ src, dst, port, protocol, from, interface: way });
  return { ...r, steps: r.steps.map((s) => ({ node: node.name, ...s })) };
}

// firstNode is where a packet starts: its pod's or node's own, else the chosen one.
function firstNode(src) {
  return doc.holders.get(src.text) || doc.nodes.find((n) => evaluatorOf(n).own.has(src.family + src.value)) || shownNode();
}

// asker is the address that the next node sees as the source.
function asker(node, src, masquerade) {
  const own = masquerade && (node.program.node.addresses || []).map(parseAddress).find((a) => a.family === src.family);
  return own || src;
}

function answerOfPage(q) {
  const dst = place(q.to), src = dst && place(q.from, dst), port = Number(q.port);
  if (!dst) throw new Error("“to” is no address and no name of this page");
  if (!src) throw new Error("“from” is no address and no name of this page with an address of that family");
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error("a port is a number from 1 to 65535");
  const node = firstNode(src);
  if (!node) throw new Error("this page has no node");
  const first = evaluateOn(node, src, dst, port, q.protocol);
  const a = { verdict: first.verdict, endpoints: [], denied: first.denied.map((c) => c.address), masquerade: first.masquerade, node: node.name, steps: first.steps, unknown: [] };
  if (!arrives(a)) return a;
  const ends = first.verdict === "dnat" ? first.endpoints : [{ address: `${dst.family === "ipv6" ? `[${dst.text}]` : dst.text}:${port}`, masquerade: first.masquerade }];
  let refused = "";
  for (const end of ends) {
    const said = nextNode(node, src, end, q.protocol, a);
    if (said) {
      refused = said;
      a.denied.push(end.address);
    } else if (first.verdict === "dnat") a.endpoints.push(end.address);
  }
  if (refused && ends.length === a.denied.length - first.denied.length) return { ...a, verdict: refused, masquerade: false };
  a.endpoints.sort();
  return a;
}

// nextNode asks the node of an endpoint; it returns how that refuses, or "".
function nextNode(node, src, end, protocol, a) {
  const to = endpointOf(end.address), there = doc.holders.get(to.address.text);
  if (there === node) return "";
  if (!there) {
    const name = doc.names.get(to.address.text);
    if (name && !name.includes("svc/") && !a.unknown.includes(`the node of ${name}`) && !name.startsWith("node/")) a.unknown.push(`the node of ${name}`);
    return "";
  }
  const r = evaluateOn(there, asker(node, src, end.masquerade), to.address, to.port, protocol);
  a.steps = a.steps.concat(r.steps.filter(policed));
  return arrives(r) ? "" : r.verdict;
}

// answerOfEngine asks the real one.
async function answerOfEngine(q) {
  const args = ["trace", "--from", q.from, "--to", q.to, "--port", `${q.port}/${q.protocol}`, "-o", "json"];
  if (doc.nodes.length && !doc.holders.has((place(q.from) || {}).text) && !q.from.startsWith("node/")) args.push("--node", state.node);
  const r = await engine().run(args, editor.manifests(), editor.settings());
  try {
    const a = JSON.parse(r.stdout);
    return { ...a, endpoints: a.endpoints || [], denied: a.denied || [], steps: a.steps || [] };
  } catch {
    throw new Error((r.stderr || r.stdout || "the engine gave no answer").trim());
  }
}
