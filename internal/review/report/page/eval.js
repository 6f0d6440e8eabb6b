// What happens to a packet on one node: ir/eval, in the page. The browser test
// compares the two on random packets. Addresses are numbers with a family.

function parseAddress(text) {
  const t = text.trim().toLowerCase();
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(t)) {
    let value = 0n;
    for (const part of t.split(".")) {
      if (part.length > 1 && part[0] === "0" || Number(part) > 255) return null;
      value = value << 8n | BigInt(part);
    }
    return { family: "ipv4", bits: 32, value, text: t };
  }
  if (!/^[0-9a-f:]+(\d+\.\d+\.\d+\.\d+)?$/.test(t) || !t.includes(":")) return null;
  const halves = t.split("::");
  if (halves.length > 2) return null;
  const words = (half) => half === "" ? [] : half.split(":");
  const head = words(halves[0]), tail = halves.length === 2 ? words(halves[1]) : [];
  const last = tail.length ? tail : head;
  if (last.length && last[last.length - 1].includes(".")) {
    const v4 = parseAddress(last.pop());
    if (!v4) return null;
    last.push((v4.value >> 16n).toString(16), (v4.value & 0xffffn).toString(16));
  }
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  let value = 0n;
  for (const w of [...head, ...Array(halves.length === 2 ? missing : 0).fill("0"), ...tail]) {
    if (!/^[0-9a-f]{1,4}$/.test(w)) return null;
    value = value << 16n | BigInt("0x" + w);
  }
  return { family: "ipv6", bits: 128, value, text: t };
}

function same(a, b) { return a.family === b.family && a.value === b.value; }

function parsePrefix(text) {
  const [host, bits] = text.split("/");
  const address = parseAddress(host);
  return { address, shift: BigInt(address.bits - Number(bits)) };
}

function contains(prefixes, a) {
  return (prefixes || []).some((text) => {
    const p = parsePrefix(text);
    return p.address.family === a.family && p.address.value >> p.shift === a.value >> p.shift;
  });
}

function isLoopback(a) {
  return a.family === "ipv4" ? a.value >> 24n === 127n : a.value === 1n;
}

// endpointOf splits "10.0.0.1:80" and "[fd00::1]:80".
function endpointOf(text) {
  const at = text.lastIndexOf(":");
  return { address: parseAddress(text.slice(0, at).replace(/^\[|\]$/g, "")), port: Number(text.slice(at + 1)) };
}

class Evaluator {
  constructor(program) {
    this.program = program;
    this.key = (a) => a.family + a.value;
    this.frontends = new Map();
    for (const f of program.frontends || []) {
      const a = f.match.address ? this.key(parseAddress(f.match.address)) : f.match.family;
      this.frontends.set(`${a} ${f.match.protocol} ${f.match.port}`, f);
    }
    this.pools = new Map((program.pools || []).map((p) => [p.id, p]));
    const set = (list) => new Set((list || []).map((t) => this.key(parseAddress(t))));
    this.services = set(program.clusterIPs);
    this.own = set(program.node.addresses);
    const policy = program.policy || {};
    this.onDeny = policy.onDeny === "reject" ? "reject" : "drop";
    this.onRedirect = policy.onRedirect;
    this.profiles = new Map();
    this.names = new Map();
    for (const peer of policy.peers || []) {
      this.names.set(this.key(parseAddress(peer.address)), (peer.namespace ? peer.namespace + "/" : "node ") + peer.name);
    }
    for (const profile of policy.profiles || []) {
      if (profile.node) this.nodeProfile = profile;
      for (const pod of profile.pods || []) {
        for (const a of pod.addresses) {
          this.profiles.set(this.key(parseAddress(a)), profile);
          this.names.set(this.key(parseAddress(a)), pod.namespace + "/" + pod.name);
        }
      }
    }
    this.sets = new Map((policy.addressSets || []).map((s) => [s.id, { ...s, members: set(s.addresses) }]));
  }

  isOwn(a) { return this.own.has(this.key(a)) || isLoopback(a); }

  evaluate(packet) { return new Trace(this, packet).run(); }
}

// Trace is one packet on its way. packet: {src, dst, protocol, port, from, interface} and, if they
// are known, {type, code, sourcePort}.
class Trace {
  constructor(evaluator, packet) {
    this.e = evaluator;
    this.p = packet;
    this.steps = [];
    this.endpoints = [];
    this.denied = [];
    this.logs = [];
    this.masquerade = false;
  }

  step(stage, origin, text) { this.steps.push({ stage, origin: origin || {}, text }); }

  end(verdict) {
    return { verdict, endpoints: this.endpoints, denied: this.denied, logs: this.logs, masquerade: this.masquerade, steps: this.steps };
  }

  run() {
    const f = this.findFrontend();
    if (!f) return this.unclaimed();
    if (f.sourceRanges && f.sourceRanges.length) {
      const inside = contains(f.sourceRanges, this.p.src);
      this.step("source-ranges", f.origin, `${this.p.src.text} is ${inside ? "" : "not "}in ${f.sourceRanges.join(", ")}${inside ? "" : ": dropped"}`);
      if (!inside) return this.end("drop");
    }
    const route = this.route(f), pool = this.e.pools.get(route.pool);
    if (!(pool.endpoints || []).length) {
      this.step("pool", pool.origin, `pool ${pool.id} has no endpoint: ${route.onEmpty}`);
      return this.end(route.onEmpty === "drop" ? "drop" : "reject");
    }
    this.step("pool", pool.origin, `one of ${pool.endpoints.length} endpoints of pool ${pool.id}`);
    if (f.affinity) this.step("affinity", f.origin, `the same one for ${this.p.src.text} until ${f.affinity} s without a new connection`);
    const byRoute = this.routeMasquerades(route);
    let allowed = [];
    for (const ep of pool.endpoints) {
      const to = endpointOf(ep.address);
      const leaves = this.leaves(to.address);
      const hairpin = leaves && Boolean(ep.local) && same(to.address, this.p.src);
      const choice = { address: ep.address, origin: ep.origin, hairpin, masquerade: leaves && (byRoute || hairpin || this.egressMasquerades(to.address)) };
      if (this.police(to.address, to.port)) allowed.push(choice);
      else this.denied.push(choice);
    }
    if (!allowed.length) return this.end(this.e.onDeny);
    this.endpoints = allowed;
    this.masquerade = allowed.every((c) => c.masquerade);
    this.step("masquerade", f.origin, this.masquerade
      ? `the source becomes the node's address (rule: ${route.masquerade})`
      : `the source stays ${this.p.src.text} (rule: ${route.masquerade})`);
    return this.end("dnat");
  }

  findFrontend() {
    const { dst, protocol, port } = this.p, rest = ` ${protocol} ${port}`;
    let f = this.e.frontends.get(this.e.key(dst) + rest);
    const name = (f) => `${f.service.namespace}/${f.service.name}`;
    if (f) {
      this.step("frontend", f.origin, `${dst.text}, port ${port}/${protocol} is ${f.kind} of ${name(f)}`);
      return f;
    }
    const scope = this.e.program.node.nodePorts || {};
    const nodePort = !isLoopback(dst) && ((scope.addresses || []).some((t) => same(parseAddress(t), dst)) ||
      this.e.own.has(this.e.key(dst)) && contains(scope.prefixes, dst));
    f = nodePort ? this.e.frontends.get(dst.family + rest) : undefined;
    if (f) this.step("frontend", f.origin, `${dst.text} is one of the node's nodePort addresses, port ${port} is ${name(f)}`);
    return f;
  }

  localPod() {
    const d = this.e.program.node.local;
    switch (d.mode) {
      case "cidr": return contains(d.cidrs, this.p.src);
      case "interface": return this.p.interface === d.interface;
      case "interface-prefix": return Boolean(this.p.interface) && this.p.interface.startsWith(d.interface);
    }
    return false;
  }

  route(f) {
    const equal = ["pool", "masquerade", "onEmpty"].every((k) => f.internal[k] === f.external[k]);
    if (equal) {
      this.step("route", f.origin, `the same for every source: pool ${f.internal.pool}`);
      return f.internal;
    }
    if (this.localPod() || this.p.from === "node" || this.e.isOwn(this.p.src)) {
      this.step("route", f.origin, `internal, because ${this.p.src.text} is a pod of this node or the node itself: pool ${f.internal.pool}`);
      return f.internal;
    }
    this.step("route", f.origin, `external, because ${this.p.src.text} comes from outside: pool ${f.external.pool}`);
    return f.external;
  }

  routeMasquerades(r) {
    return r.masquerade === "always" || r.masquerade === "unless-local-source" && !this.localPod();
  }

  leaves(dst) { return this.p.from === "node" || !this.e.isOwn(dst); }

  unclaimed() {
    const { dst, port, protocol } = this.p, node = this.e.program.node;
    if (this.leaves(dst)) {
      if (this.e.services.has(this.e.key(dst))) {
        this.step("cluster-ip", null, `${dst.text} is a ClusterIP, but ${port}/${protocol} is none of its ports`);
        return this.end("reject");
      }
      if (contains(node.serviceCIDRs, dst)) {
        this.step("service-cidr", null, `${dst.text} is in a service range, but no Service has it`);
        return this.end("drop");
      }
    }
    this.step("pass", null, "no frontend of this node");
    if (!this.police(dst, port)) return this.end(this.e.onDeny);
    if (this.leaves(dst) && this.egressMasquerades(dst)) {
      this.masquerade = true;
      this.step("masquerade", this.e.program.masquerade.origin, `${dst.text} is not excluded: the source becomes the node's address`);
    }
    return this.end("pass");
  }

  egressMasquerades(dst) {
    const m = this.e.program.masquerade || {};
    return (m.families || []).includes(dst.family) && !this.e.isOwn(dst) && !contains(m.exclude, dst);
  }

  police(dst, port) {
    const e = this.e, p = this.p, q = this.transport(port);
    const fromOwn = p.from === "node" || e.isOwn(p.src), toOwn = e.isOwn(dst);
    if (fromOwn && toOwn || p.protocol === "icmpv6" && p.type >= 133 && p.type <= 137) return true;
    const profileOf = (a) => e.profiles.get(e.key(a)), peer = (a) => ({ name: this.nameOf(a), in: (s) => this.holds(s, a) });
    const node = { name: "the own node", in: (s) => Boolean(s.ownNode), own: true };
    const sent = p.from === "node" ? this.judge("egress", e.nodeProfile, "the node", peer(dst), q)
      : this.judge("egress", profileOf(p.src), this.nameOf(p.src), peer(dst), q);
    if (!sent) return false;
    if (toOwn) return this.judge("ingress", e.nodeProfile, "the node", peer(p.src), q);
    return this.judge("ingress", profileOf(dst), this.nameOf(dst), fromOwn ? node : peer(p.src), q);
  }

  // transport is what policies see of the packet: port is type and code of ICMP.
  transport(port) {
    const { protocol, type = 0, code = 0, sourcePort = 0 } = this.p;
    if (protocol === "icmp" || protocol === "icmpv6") return { protocol, port: type << 8 | code, sourcePort: 0, text: `type ${type} code ${code}/${protocol}` };
    if (["tcp", "udp", "sctp"].includes(protocol)) return { protocol, port, sourcePort, text: `${port}/${protocol}` };
    return { protocol, port: 0, sourcePort: 0, text: protocol };
  }

  nameOf(a) { return this.e.names.has(this.e.key(a)) ? `${this.e.names.get(this.e.key(a))} (${a.text})` : a.text; }

  holds(set, a) { return set.members.has(this.e.key(a)) || contains(set.prefixes, a) && !contains(set.except, a); }

  judge(direction, profile, subject, peer, q) {
    const tiers = profile && profile[direction] || [];
    if (!tiers.length) return true;
    const object = (o) => `${o.kind} ${o.namespace ? o.namespace + "/" : ""}${o.name}`;
    let said = { accept: true, text: "accepted: no rule matched" }, log;
    for (const t of tiers) {
      const first = this.firstMatch(t, q, peer);
      log = log || first.log;
      const { rule } = first;
      let action = rule ? rule.action : peer.own && !t.ownNode ? "pass" : t.default;
      if (action === "redirect") action = this.e.onRedirect;
      if (action === "pass") continue;
      const verb = action === "accept" ? "accepted" : "denied";
      const proxy = rule && rule.action === "redirect" ? `, which redirects it to a proxy (${rule.payload}), and there is none` : "";
      said = rule
        ? { decided: true, accept: action === "accept", origin: rule.origin, text: `${verb} by rule of ${object(rule.origin)} (${rule.origin.path})${proxy}` }
        : { decided: true, accept: action === "accept", origin: (t.isolating || [])[0], text: `${verb}: isolated by ${(t.isolating || []).map(object).join(" and ")}, no rule matched` };
      break;
    }
    const packet = `${subject} ${direction === "egress" ? "to" : "from"} ${peer.name}, ${q.text}`;
    if (log) {
      this.logs.push(log.prefix || "");
      this.step("log", log.origin, `${packet}: logged with prefix "${log.prefix || ""}" by ${object(log.origin)} (${log.origin.path})`);
    }
    if (said.decided || !peer.own) this.step(direction, said.origin, `${packet}: ${said.text}`);
    return said.accept;
  }

  // firstMatch returns the first rule that matches and is no log rule, and the first log rule before it.
  firstMatch(tier, q, peer) {
    let log;
    for (const rule of tier.rules || []) {
      if (peer.own && !rule.ownNode || !this.matchesPort(rule, q) || !this.matchesPeer(rule, peer)) continue;
      if (rule.action !== "log") return { rule, log };
      log = log || rule;
    }
    return { log };
  }

  matchesPort(r, q) {
    const within = (list, port) => (list || []).some((x) => x.protocol === q.protocol && x.first <= port && port <= x.last);
    if (!r.anyPort && !within(r.ports, q.port) || within(r.notPorts, q.port)) return false;
    return !(r.sourcePorts || []).length || within(r.sourcePorts, q.sourcePort);
  }

  matchesPeer(r, peer) {
    const listed = (id) => peer.in(this.e.sets.get(id));
    return (r.anyPeer || (r.peers || []).some(listed)) && !(r.notPeers || []).some(listed);
  }
}
