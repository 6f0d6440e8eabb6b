// The map of workloads: boxes, and an arrow for what may connect. Beside it the same
// as a list, for keyboards and screen readers.

let mapStale = true, chosenEdge = null, drawn = { boxes: [], edges: [] };

function makeMap() {
  panes.edges = new List("edges", { height: 26, label: "connections", row: edgeRow, pick: (row) => chooseEdge(row.edge) });
  byId("map-namespace").addEventListener("change", () => { mapStale = true; drawMap(); });
  byId("map").addEventListener("mouseover", (e) => { focusMap(e.target.closest(".box, .edge")); });
  byId("map").addEventListener("mouseleave", () => focusMap(null));
  byId("map").addEventListener("click", (e) => {
    const edge = e.target.closest(".edge"), box = e.target.closest(".box");
    if (edge) chooseEdge(drawn.edges[Number(edge.dataset.i)]);
    else if (box) chooseBox(Number(box.dataset.i));
  });
}

const all = "all namespaces";

// inNamespace keeps what has an end in the namespace.
function inNamespace(map, name) {
  if (name === all) return map;
  const inside = map.workloads.map((w) => w.namespace === name);
  const edges = map.edges.filter((e) => inside[e.from] || inside[e.to]);
  const kept = new Set(edges.flatMap((e) => [e.from, e.to]));
  map.workloads.forEach((_, i) => { if (inside[i]) kept.add(i); });
  const at = new Map([...kept].sort((a, b) => a - b).map((i, n) => [i, n]));
  return { workloads: [...at.keys()].map((i) => map.workloads[i]), edges: edges.map((e) => ({ ...e, from: at.get(e.from), to: at.get(e.to) })) };
}

function drawMap() {
  if (!mapStale || !doc.map) return;
  mapStale = false;
  chosenEdge = null;
  const select = byId("map-namespace"), names = [...new Set(doc.map.workloads.map((w) => w.namespace).filter(Boolean))].sort();
  options(select, [all, ...names], names.includes(select.value) ? select.value : all);
  const part = inNamespace(doc.map, select.value), fold = part.workloads.length > most && !doc.map.folded;
  drawn = fold ? folded(part) : plainly(part);
  drawn.source = part;
  drawn.edges = paired(drawn.edges);
  drawn.listed = drawn.edges;
  // What is drawn last is on top.
  drawn.edges = drawn.edges.filter((e) => !isSign(e)).sort((a, b) => Boolean(a.change) - Boolean(b.change));
  drawn.round = tangled(drawn.boxes, drawn.edges);
  const size = (drawn.round ? circle : arrange)(drawn.boxes, drawn.edges);
  const changed = part.edges.filter((e) => e.change).length;
  byId("map-note").textContent = `${several(part.workloads.filter((w) => !w.outside).length, doc.map.folded ? "namespace" : "workload")}, ${several(part.edges.length, "connection")}${changed ? `, ${changed} changed` : ""}${fold ? "; drawn by namespace, choose one to see its workloads" : doc.map.folded ? "; namespaces, since there are more than 120 workloads" : ""}`;
  drawPicture(size);
  const order = [...drawn.listed].sort((a, b) => Boolean(b.change) - Boolean(a.change));
  panes.edges.set(order.map((edge) => ({ edge })), "edges");
  byId("edge").replaceChildren();
}

// paired joins two arrows that say the same in both directions.
function paired(edges) {
  const back = new Map(edges.map((e) => [`${e.to} ${e.from} ${e.ports} ${e.change || ""}`, e])), out = [];
  for (const e of edges) {
    const other = back.get(`${e.from} ${e.to} ${e.ports} ${e.change || ""}`);
    if (!other || other === e) out.push(e);
    else if (e.from < e.to || drawn.boxes[e.from].outside) {
      if (!out.some((o) => o.both && o.from === e.to && o.to === e.from && o.ports === e.ports && o.change === e.change)) out.push({ ...e, both: true, of: [...e.of, ...other.of] });
    }
  }
  return out;
}

function drawPicture(size) {
  const svg = draw("svg", { style: `width: 100%; max-width: ${size.width}px; min-width: ${Math.round(size.width * .6)}px`, viewBox: `0 0 ${size.width} ${size.height}`, role: "img", "aria-label": `map of ${several(drawn.boxes.length, "box")}; the list beside it has the same connections` });
  svg.append(...drawn.edges.map(edgePicture), ...drawn.boxes.map(boxPicture));
  byId("map").replaceChildren(svg);
  byId("map").classList.toggle("few", drawn.edges.length <= 24);
}

// isSign reports that a sign at the box says it: what may send everywhere outside is no
// arrow, since without policies that is every workload.
function isSign(e) {
  const to = drawn.boxes[e.to];
  if (e.change || e.both || !to.outside || to.name !== "outside" || e.ports !== "every port") return false;
  drawn.boxes[e.from].leaves = true;
  return true;
}

function boxPicture(b, i) {
  const fits = Math.floor((b.w - 20) / 7.2), short = b.name.length > fits ? b.name.slice(0, fits - 1) + "…" : b.name;
  const sub = b.outside ? "outside the cluster" : b.fold ? several(b.count, "workload") : doc.map.folded ? several(b.pods, "workload") : b.pods ? several(b.pods, "pod") : "";
  const sign = b.leaves ? " · ↗ outside" : "";
  return draw("g", { class: "box k k" + hueOf({ kind: "Workload", name: b.name }) + (b.outside ? " outside" : ""), "data-i": i },
    draw("title", null, b.name + (b.leaves ? ", which may send everywhere outside the cluster" : "")), draw("rect", { x: b.x, y: b.y, width: b.w, height: b.h, rx: 9 }),
    draw("text", { x: b.x + 12, y: b.y + (sub ? 19 : 27) }, short), sub ? draw("text", { class: "sub", x: b.x + 12, y: b.y + 34 }, sub + sign) : null);
}

const arrow = (e) => e.both ? "⇄" : "→";
const signOf = (e) => ({ opened: "+ ", closed: "− " })[e.change] || "";
const short = (ports) => ports.length > 26 ? ports.slice(0, 25) + "…" : ports;

function edgePicture(e, i) {
  const a = drawn.boxes[e.from], b = drawn.boxes[e.to], g = drawn.round ? chord(a, b, e.both) : wire(a, b);
  return draw("g", { class: "edge" + (e.change ? " " + e.change : ""), "data-i": i },
    draw("title", null, `${a.name} ${e.both ? "⇄" : "→"} ${b.name}: ${e.ports}${e.change ? ", " + e.change : ""}`), draw("path", { class: "wide", d: g.d }), draw("path", { class: "wire", d: g.d }),
    draw("path", { class: "tip", d: tip(g.x, g.y, g.angle) }), e.both ? draw("path", { class: "tip", d: tip(g.x0, g.y0, g.angle0) }) : null, draw("text", { class: "label", x: g.lx, y: g.ly }, signOf(e) + short(e.ports)));
}

function edgeRow(row) {
  const e = row.edge, from = drawn.boxes[e.from].name, to = drawn.boxes[e.to].name;
  const item = make("div", { class: "item", title: `${from} ${arrow(e)} ${to}: ${e.ports}` });
  if (e.change) item.append(make("span", { class: "tag " + e.change }, e.change));
  item.append(make("span", { class: "name" }, `${from} ${arrow(e)} ${to}`), make("span", { class: "ports" }, e.ports));
  return item;
}

// chooseEdge says what an arrow is, and marks the rules behind it.
function chooseEdge(e) {
  if (!e) return;
  chosenEdge = e;
  const parts = e.of.map((n) => drawn.source.edges[n]), reasons = parts.flatMap((p) => p.because || []);
  const title = `${drawn.boxes[e.from].name} ${arrow(e)} ${drawn.boxes[e.to].name}`;
  const ids = [...new Set(reasons.map((r) => idOf(r.origin)).filter((id) => id >= 0))];
  byId("edge").replaceChildren(make("h4", null, title), make("p", null, (e.change ? e.change + ": " : "") + e.ports), make("ul", null, ...reasons.slice(0, 30).map(reasonRow)));
  pin(ids, null, true);
  const at = panes.edges.rows.findIndex((r) => r.edge === e);
  if (at >= 0) panes.edges.move(at, true);
  markMap();
}

function reasonRow(r) {
  const id = idOf(r.origin), li = make("li", null, r.text + " ");
  if (id < 0 && !fileOf(r.origin.file)) return li;
  const b = make("button", { type: "button", class: "link" }, placeOf(r.origin) || nameOf(r.origin));
  b.addEventListener("click", () => {
    if (id >= 0) pin([id], null, true);
    goTo({ ...r.origin, old: r.old });
    chooseView(narrow() ? "manifests" : "code");
  });
  li.append(b);
  return li;
}

// chooseBox looks into a namespace, or puts a workload into the packet box.
function chooseBox(i) {
  const b = drawn.boxes[i];
  if (!b.fold) return;
  byId("map-namespace").value = b.name;
  mapStale = true;
  drawMap();
}

// focusMap fades what does not touch the box or the arrow.
function focusMap(target) {
  const map = byId("map"), i = target ? Number(target.dataset.i) : -1, isBox = target && target.classList.contains("box");
  map.classList.toggle("focus", Boolean(target));
  const edges = map.querySelectorAll(".edge"), boxes = map.querySelectorAll(".box"), near = new Set();
  edges.forEach((g, n) => {
    const e = drawn.edges[n], touches = target && (isBox ? e.from === i || e.to === i : n === i);
    g.classList.toggle("near", Boolean(touches));
    if (touches) near.add(e.from).add(e.to);
  });
  if (isBox) near.add(i);
  boxes.forEach((g, n) => g.classList.toggle("near", near.has(n)));
}

// markMap shows which arrow is chosen.
function markMap() {
  if (state.view !== "map" || !chosenEdge) return;
  byId("map").querySelectorAll(".edge").forEach((g, n) => g.classList.toggle("chosen", drawn.edges[n] === chosenEdge));
  byId("map").querySelectorAll(".box").forEach((g, n) => g.classList.toggle("chosen", n === chosenEdge.from || n === chosenEdge.to));
}
