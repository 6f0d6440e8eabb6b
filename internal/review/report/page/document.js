// The document that is shown, and indexes over it: which rows belong to an object.

let doc = null;

const kindRank = ["ClusterNetworkPolicy", "AdminNetworkPolicy", "NetworkPolicy", "BaselineAdminNetworkPolicy", "Service", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "EndpointSlice", "Node", "Namespace"];
const kindShort = { Service: "Svc", NetworkPolicy: "NP", ClusterNetworkPolicy: "CNP", AdminNetworkPolicy: "ANP", BaselineAdminNetworkPolicy: "BNP", EndpointSlice: "Slice", Pod: "Pod", Node: "Node", Namespace: "NS" };

const nameOf = (o) => (o.namespace ? o.namespace + "/" : "") + o.name;
const keyOf = (o) => `${o.kind}/${o.namespace || ""}/${o.name}`;
const titleOf = (o) => `${o.kind} ${nameOf(o)}`;
const placeOf = (o) => o.file ? o.file + (o.line ? ":" + o.line : "") : "";
const rankOf = (o) => {
  const at = kindRank.indexOf(o.kind);
  return at < 0 ? kindRank.length : at;
};

// hueOf is the number of an object's colour: the same on every page.
function hueOf(o) {
  let h = 2166136261;
  for (const c of keyOf(o)) h = Math.imul(h ^ c.codePointAt(0), 16777619) >>> 0;
  h = Math.imul(h ^ h >>> 16, 2246822507) >>> 0;
  h = Math.imul(h ^ h >>> 13, 3266489909) >>> 0;
  return ((h ^ h >>> 16) >>> 0) % 16;
}

// unpack makes lines of a text as packed.go packs it.
function unpack(p) {
  if (Array.isArray(p)) return p;
  const lines = p.t === null ? [] : p.t.split("\n").map((t) => ({ t }));
  p.o.forEach(([from, ...ids], k) => {
    const to = k + 1 < p.o.length ? p.o[k + 1][0] : lines.length;
    for (let i = from; i < to && ids.length; i++) lines[i].o = ids;
  });
  for (const c of ["new", "old"]) for (const [from, count] of p[c] || []) for (let i = from; i < from + count; i++) lines[i].c = c;
  for (const i of p.h || []) lines[i].h = true;
  return lines;
}

// setDocument makes the indexes of a document. It leaves the document itself as it is: an
// engine may have given it to others too.
function setDocument(d) {
  const lined = (f) => ({ ...f, lines: unpack(f.lines) });
  doc = {
    ...d, files: d.files.map(lined),
    nodes: d.nodes.map((n) => ({ ...n, meaning: unpack(n.meaning), ir: unpack(n.ir), backends: n.backends.map((b) => ({ ...b, files: b.files.map(lined) })) })),
  };
  doc.byKey = new Map(doc.objects.map((o, id) => [keyOf(o), id]));
  doc.hues = doc.objects.map(hueOf);
  doc.ranks = doc.objects.map(rankOf);
  doc.byNode = new Map(doc.nodes.map((n) => [n.name, n]));
  doc.evaluators = new Map();
  doc.owners = ownersOf(doc.homes || []);
  doc.names = new Map();
  for (const [name, addresses] of Object.entries(doc.places || {})) for (const a of addresses) if (!doc.names.has(a)) doc.names.set(a, name);
}

// owner is the object whose colour a line has: the most telling of its objects, of
// those that are marked where there are any.
function owner(ids, marked) {
  let best = -1;
  for (const id of ids || []) {
    if (marked && !marked.has(id)) continue;
    if (best < 0 || doc.ranks[id] < doc.ranks[best]) best = id;
  }
  return best;
}

// idOf finds the object of an origin.
function idOf(origin) {
  const id = origin && origin.kind ? doc.byKey.get(keyOf(origin)) : undefined;
  return id === undefined ? -1 : id;
}

// rowsOf numbers the lines of a text: n in the new state, m in the old one.
function rowsOf(lines) {
  let n = 0, m = 0;
  return lines.map((l) => ({ t: l.t, o: l.o, c: l.c, h: l.h, n: l.c === "old" ? 0 : ++n, m: l.c === "new" ? 0 : ++m }));
}

// aroundChanges keeps rows that came or went, with two around them and the heading
// above them.
function aroundChanges(rows) {
  const near = new Uint8Array(rows.length);
  let heading = -1;
  rows.forEach((r, i) => {
    if (r.h) heading = i;
    if (!r.c) return;
    near.fill(1, Math.max(i - 2, 0), i + 3);
    if (heading >= 0) near[heading] = 1;
  });
  const kept = [];
  rows.forEach((r, i) => {
    if (near[i]) kept.push(r);
    else if (!kept.length || !kept[kept.length - 1].gap) kept.push({ t: "⋯", gap: true });
  });
  return kept.some((r) => r.c) ? kept : [{ t: "nothing changes here", gap: true }];
}

// indexOf maps objects to the places of their rows.
function indexRows(rows) {
  const index = new Map();
  rows.forEach((r, i) => {
    for (const id of r.o || []) {
      const at = index.get(id);
      if (at) at.push(i);
      else index.set(id, [i]);
    }
  });
  return index;
}
