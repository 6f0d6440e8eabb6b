// The way of a connection over the nodes of the page, as internal/review/netpath follows
// it: the first node's rules, and then those of the node that has the destination, an
// endpoint or the address of a nodePort. Without an engine, eval.js answers.

const keyOfAddress = (a) => a.family + a.value;

// ownersOf maps addresses to their nodes; pod tells pods from the nodes themselves.
function ownersOf(homes) {
  const owners = new Map();
  for (const h of homes) {
    for (const pod of [true, false]) for (const t of (pod ? h.pods : h.host) || []) owners.set(keyOfAddress(parseAddress(t)), { node: h.node, pod });
  }
  return owners;
}

const ownerOf = (a) => doc.owners.get(keyOfAddress(a));

// addressesOf are those of a name or of a text. Names are the input's: none is looked up
// among what every object of the language has.
function addressesOf(text) {
  const named = Object.hasOwn(doc.places || {}, text) ? doc.places[text] : [text];
  return named.map(parseAddress).filter(Boolean).map(unmapped);
}

// unmapped is the IPv4 address that an IPv6 address stands for.
function unmapped(a) {
  if (a.family === "ipv4" || a.value >> 32n !== 0xffffn) return a;
  return parseAddress([24n, 16n, 8n, 0n].map((s) => a.value >> s & 255n).join("."));
}

function evaluatorOf(node) {
  if (!doc.evaluators.has(node.name)) doc.evaluators.set(node.name, new Evaluator(node.program));
  return doc.evaluators.get(node.name);
}

// connectionOf reads a question: {src, dst, port, protocol}.
function connectionOf(q) {
  const to = addressesOf(q.to), from = addressesOf(q.from), port = Number(q.port);
  if (!to.length) throw new Error("“to” is no address and no name of this page");
  if (!from.length) throw new Error("“from” is no address and no name of this page");
  if (q.from.startsWith("svc/")) throw new Error("“from” is a Service, which opens no connections");
  const dst = to.find((d) => from.some((s) => s.family === d.family));
  if (!dst) throw new Error("“from” is no address and no name of this page with an address of that family");
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error("a port is a number from 1 to 65535");
  if (!["tcp", "udp", "sctp"].includes(q.protocol)) throw new Error("a protocol is tcp, udp or sctp");
  return { src: from.find((s) => s.family === dst.family), dst, port, protocol: q.protocol };
}

// firstNode is the name of the node where a packet starts: its pod's or node's own; from
// outside, that of the destination, else the only one or the chosen one.
function firstNode(c) {
  const owner = ownerOf(c.src) || ownerOf(c.dst), only = doc.nodes.length === 1 ? doc.nodes[0] : shownNode();
  if (owner && (owner.node || ownerOf(c.src))) return owner.node;
  if (!only) throw new Error("this page has no node");
  return only.name;
}

// mostHops bounds the nodes on a way, as in netpath.
const mostHops = 4;

// Way is one connection on its way. An end is what may become of it:
// {verdict, endpoint, masquerade}, with the verdict "unknown" where a node decides
// whose rules the page does not have.
class Way {
  constructor(c) {
    this.c = c;
    this.steps = [];
    this.unknown = [];
  }

  // visit asks one node, and then the next ones. before is the end so far.
  visit(name, packet, before, depth) {
    const node = doc.byNode.get(name);
    if (!node) {
      if (!this.unknown.includes(name)) this.unknown.push(name);
      return [{ ...before, verdict: "unknown" }];
    }
    const r = evaluatorOf(node).evaluate(packet);
    this.steps.push(...r.steps.map((s) => ({ node: name, ...s })));
    const refusal = r.verdict === "dnat" ? evaluatorOf(node).onDeny : r.verdict;
    const ends = r.denied.map((d) => ({ ...before, verdict: refusal, endpoint: d.address }));
    if (r.verdict === "pass") return ends.concat(this.onward(node, packet, { address: packet.dst, port: packet.port }, { ...before, verdict: "pass", masquerade: before.masquerade || r.masquerade }, depth));
    if (r.verdict !== "dnat") return ends.length ? ends : [{ ...before, verdict: r.verdict }];
    for (const e of r.endpoints) {
      ends.push(...this.onward(node, packet, endpointOf(e.address), { verdict: "dnat", endpoint: e.address, masquerade: before.masquerade || e.masquerade }, depth));
    }
    return ends;
  }

  // onward goes on to the node that has the destination, if that is another one.
  onward(node, packet, to, end, depth) {
    const owner = ownerOf(to.address);
    if (!owner || owner.node === node.name || depth === mostHops) return [end];
    const own = end.masquerade && (node.program.node.addresses || []).map(parseAddress).find((a) => a.family === to.address.family);
    const next = { src: own || packet.src, dst: to.address, port: to.port, protocol: packet.protocol, from: "outside", interface: "" };
    // Passing at the end keeps the endpoint that was chosen earlier.
    return this.visit(owner.node, next, end, depth + 1).map((e) => e.verdict === "pass" && end.verdict === "dnat" ? { ...e, verdict: "dnat" } : e);
  }
}

// startOf is a packet as it reaches the first node.
function startOf(c, name) {
  const owner = ownerOf(c.src), node = doc.byNode.get(name);
  const from = !owner || owner.node !== name ? "outside" : owner.pod ? "pod" : "node";
  return { ...c, from, interface: from === "pod" && node && node.program.node.local.interface || "" };
}

function answerOfPage(q) {
  const c = connectionOf(q), owner = ownerOf(c.src);
  if (owner && owner.pod && same(c.src, c.dst)) {
    return { verdict: "pass", endpoints: [], denied: [], masquerade: false, node: owner.node, unknown: [], steps: [{ node: owner.node, stage: "pass", origin: {}, text: "the packet does not leave the pod" }] };
  }
  const way = new Way(c), name = firstNode(c);
  const ends = way.visit(name, startOf(c, name), { masquerade: false }, 1);
  return { ...joined(ends), node: name, steps: way.steps, unknown: way.unknown };
}

// joined makes one answer of all ends. What may end on a node that the page does not have is
// no arrival, whatever the other ends are.
function joined(ends) {
  const sorted = (list) => [...new Set(list)].sort();
  const there = ends.filter(arrives), refused = ends.filter((e) => !arrives(e) && e.verdict !== "unknown");
  const unknown = ends.some((e) => e.verdict === "unknown");
  return {
    verdict: unknown ? "unknown" : (there[0] || refused[0]).verdict,
    endpoints: sorted(there.filter((e) => e.endpoint).map((e) => e.endpoint)),
    denied: sorted(refused.filter((e) => e.endpoint).map((e) => e.endpoint)),
    masquerade: !unknown && there.length > 0 && there.every((e) => e.masquerade),
  };
}

// answerOfEngine asks the real one, which follows the whole way. From outside, the chosen
// node is the first one if the question does not say which.
async function answerOfEngine(q) {
  const args = ["trace", "--from", q.from, "--to", q.to, "--port", `${q.port}/${q.protocol}`, "-o", "json"];
  const run = (more) => engine().run([...args, ...more], editor.manifests(), editor.settings());
  let r = await run([]);
  if (r.code && state.node && (r.stderr || "").includes("--node is missing")) r = await run(["--first-node", state.node]);
  try {
    const a = JSON.parse(r.stdout);
    return { ...a, endpoints: a.endpoints || [], denied: a.denied || [], steps: a.steps || [] };
  } catch {
    throw new Error((r.stderr || r.stdout || "the engine gave no answer").trim());
  }
}
