// The map of workloads: boxes, and an arrow for what may connect. Beside it the same
// as a list, for keyboards and screen readers.

let mapStale = true, chosenEdge = -1, drawn = { boxes: [], edges: [] };

function makeMap() {
  panes.edges = new List("edges", { height: 26, label: "connections", row: edgeRow, pick: (row) => chooseEdge(row.edge) });
  byId("map-namespace").addEventListener("change", () => { mapStale = true; chosenEdge = -1; drawMap(); });
  byId("map").addEventListener("mouseover", (e) => { focusMap(e.target.closest(".box, .edge")); });
  byId("map").addEventListener("mouseleave", () => focusMap(null));
  byId("map").addEventListener("click", (e) => {
    const edge = e.target.closest(".edge"), box = e.target.closest(".box");
    if (edge) chooseEdge(Number(edge.dataset.i));
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
  const select = byId("map-namespace"), names = [...new Set(doc.map.workloads.map((w) => w.namespace).filter(Boolean))].sort();
  options(select, [all, ...names], names.includes(select.value) ? select.value : all);
  const part = inNamespace(doc.map, select.value), fold = part.workloads.length > most;
  drawn = fold ? folded(part) : plainly(part);
  drawn.source = part;
  const size = arrange(drawn.boxes, drawn.edges);
  const changed = part.edges.filter((e) => e.change).length;
  byId("map-note").textContent = `${several(part.workloads.length, "workload")}, ${several(part.edges.length, "connection")}${changed ? `, ${changed} changed` : ""}${fold ? "; drawn by namespace, choose one to see its workloads" : ""}`;
  drawPicture(size);
  const order = drawn.edges.map((e, edge) => ({ edge, e })).sort((a, b) => Boolean(b.e.change) - Boolean(a.e.change));
  panes.edges.set(order.map(({ edge }) => ({ edge })), "edges");
  byId("edge").replaceChildren();
}

function drawPicture(size) {
  const svg = draw("svg", { width: size.width, height: size.height, viewBox: `0 0 ${size.width} ${size.height}`, role: "img", "aria-label": `map of ${several(drawn.boxes.length, "box")}; the list beside it has the same connections` });
  svg.append(...drawn.edges.map(edgePicture), ...drawn.boxes.map(boxPicture));
  byId("map").replaceChildren(svg);
  byId("map").classList.toggle("few", drawn.edges.length <= 24);
}

function boxPicture(b, i) {
  const fits = Math.floor((b.w - 20) / 7.2), short = b.name.length > fits ? b.name.slice(0, fits - 1) + "…" : b.name;
  const sub = b.outside ? "outside the cluster" : b.fold ? several(b.count, "workload") : b.pods ? several(b.pods, "pod") : "";
  return draw("g", { class: "box k k" + hueOf({ kind: "Workload", name: b.name }) + (b.outside ? " outside" : ""), "data-i": i },
    draw("title", null, b.name), draw("rect", { x: b.x, y: b.y, width: b.w, height: b.h, rx: 9 }),
    draw("text", { x: b.x + 12, y: b.y + (sub ? 19 : 27) }, short), sub ? draw("text", { class: "sub", x: b.x + 12, y: b.y + 34 }, sub) : null);
}

const signOf = (e) => ({ opened: "+ ", closed: "− " })[e.change] || "";
const short = (ports) => ports.length > 26 ? ports.slice(0, 25) + "…" : ports;

function edgePicture(e, i) {
  const a = drawn.boxes[e.from], b = drawn.boxes[e.to], g = wire(a, b);
  return draw("g", { class: "edge" + (e.change ? " " + e.change : ""), "data-i": i },
    draw("title", null, `${a.name} → ${b.name}: ${e.ports}${e.change ? ", " + e.change : ""}`), draw("path", { class: "wide", d: g.d }), draw("path", { class: "wire", d: g.d }),
    draw("path", { class: "tip", d: `M${g.x} ${g.y}l${-9 * g.way} -4.5v9z` }), draw("text", { class: "label", x: g.lx, y: g.ly }, signOf(e) + short(e.ports)));
}

// wire is the curve between two boxes, with its end and the place of its label.
function wire(a, b) {
  const y1 = a.y + a.h / 2, y2 = b.y + b.h / 2;
  if (a === b) {
    const x = a.x + a.w;
    return { d: `M${x} ${y1 - 10}c34 -22 34 42 0 20`, x, y: y1 + 10, way: -1, lx: x + 32, ly: y1 - 18 };
  }
  if (b.x > a.x + a.w || b.x + b.w < a.x) {
    const way = b.x > a.x ? 1 : -1, x1 = way > 0 ? a.x + a.w : a.x, x2 = way > 0 ? b.x : b.x + b.w, bend = Math.max(Math.abs(x2 - x1) / 2, 40) * way;
    const lift = way > 0 ? 0 : 9;
    return { d: `M${x1} ${y1 + lift}C${x1 + bend} ${y1 + lift} ${x2 - bend} ${y2 + lift} ${x2 - 8 * way} ${y2 + lift}`, x: x2, y: y2 + lift, way, lx: x1 + (x2 - x1) * .62, ly: y1 + (y2 - y1) * .68 + lift - 5 };
  }
  const x = Math.max(a.x + a.w, b.x + b.w), out = 26 + Math.abs(y2 - y1) / 5;
  return { d: `M${a.x + a.w} ${y1}C${x + out} ${y1} ${x + out} ${y2} ${b.x + b.w + 8} ${y2}`, x: b.x + b.w, y: y2, way: -1, lx: x + out * .8, ly: (y1 + y2) / 2 };
}

function edgeRow(row) {
  const e = drawn.edges[row.edge], from = drawn.boxes[e.from].name, to = drawn.boxes[e.to].name;
  const item = make("div", { class: "item", title: `${from} → ${to}: ${e.ports}` });
  if (e.change) item.append(make("span", { class: "tag " + e.change }, e.change));
  item.append(make("span", { class: "name" }, `${from} → ${to}`), make("span", { class: "ports" }, e.ports));
  return item;
}

// chooseEdge says what an arrow is, and marks the rules behind it.
function chooseEdge(i) {
  chosenEdge = i;
  const e = drawn.edges[i];
  if (!e) return;
  const parts = e.of.map((n) => drawn.source.edges[n]), reasons = parts.flatMap((p) => p.because || []);
  const title = `${drawn.boxes[e.from].name} → ${drawn.boxes[e.to].name}`;
  const ids = [...new Set(reasons.map((r) => idOf(r.origin)).filter((id) => id >= 0))];
  byId("edge").replaceChildren(make("h4", null, title), make("p", null, (e.change ? e.change + ": " : "") + e.ports), make("ul", null, ...reasons.slice(0, 30).map(reasonRow)));
  pin(ids, null, true);
  const at = panes.edges.rows.findIndex((r) => r.edge === i);
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
  if (state.view !== "map" || chosenEdge < 0) return;
  byId("map").querySelectorAll(".edge").forEach((g, n) => g.classList.toggle("chosen", n === chosenEdge));
  byId("map").querySelectorAll(".box").forEach((g, n) => g.classList.toggle("chosen", [drawn.edges[chosenEdge].from, drawn.edges[chosenEdge].to].includes(n)));
}
