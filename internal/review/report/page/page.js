"use strict";
// The page of a report: objects, what must happen, rules; what belongs together is
// marked together. All text goes in as text: names of objects are hostile.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
// mostLines is how many lines of one file are drawn; of larger ones those that
// belong to the pinned object come first.
const mostLines = 6000;
const state = { node: 0, backend: 0, file: 0, hot: new Set(), pinned: new Set() };

function element(tag, text, attributes) {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
  return e;
}

const nameOf = (o) => (o.namespace ? o.namespace + "/" : "") + o.name;
const placeOf = (o) => o.file ? o.file + (o.line ? ":" + o.line : "") : "";

// --- the three columns

function drawObjects() {
  const list = byId("objects"), words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  list.replaceChildren();
  data.objects.forEach((o, id) => {
    const text = `${o.kind} ${nameOf(o)} ${placeOf(o)}`.toLowerCase();
    if (!words.every((w) => text.includes(w))) return;
    const b = element("button", nameOf(o), { type: "button", role: "option", "data-objects": id });
    b.append(element("small", [o.kind, placeOf(o)].filter(Boolean).join(" · ")));
    if (!o.used) {
      b.classList.add("idle");
      b.title = "nothing on the nodes of this report comes from it";
    }
    list.append(b);
  });
  mark();
}

// aroundChanges keeps lines that came or went, with two around them.
function aroundChanges(lines) {
  const near = (i) => lines.slice(Math.max(i - 2, 0), i + 3).some((l) => l.c);
  const kept = [];
  lines.forEach((l, i) => {
    if (near(i)) kept.push(l);
    else if (kept.length && kept[kept.length - 1].t !== "…") kept.push({ t: "…" });
  });
  return kept.length ? kept : [{ t: "nothing changes here" }];
}

function drawLines(into, lines) {
  const box = byId(into);
  box.replaceChildren();
  let shown = data.changed && byId("changes").checked ? aroundChanges(lines) : lines;
  lines = shown;
  if (lines.length > mostLines) {
    const pinned = lines.filter((l) => (l.o || []).some((id) => state.pinned.has(id)));
    shown = [...pinned, ...lines].slice(0, mostLines);
    box.append(element("div", `${lines.length} lines; ${shown.length} are drawn, those of the pinned object first`));
  }
  for (const l of shown) {
    const line = element("div", l.t);
    if (l.o) line.dataset.objects = l.o.join(" ");
    if (l.c) line.classList.add(l.c);
    box.append(line);
  }
}

function draw() {
  const node = data.nodes[state.node], backend = node.backends[state.backend];
  options("backend", node.backends.map((b) => b.name), state.backend);
  options("file", backend ? backend.files.map((f) => f.name) : [], state.file);
  drawLines("ir", node.ir);
  drawLines("rules", backend ? backend.files[state.file].lines : []);
  drawPlaces(node);
  mark();
}

function options(id, names, chosen) {
  byId(id).replaceChildren(...names.map((n, i) => {
    const o = element("option", n, { value: i });
    o.selected = i === chosen;
    return o;
  }));
}

// --- marking

const idsOf = (target) => {
  const at = target.closest && target.closest("[data-objects]");
  return at ? at.dataset.objects.split(" ").map(Number) : [];
};

function mark() {
  for (const e of document.querySelectorAll("[data-objects]")) {
    const ids = e.dataset.objects.split(" ").map(Number);
    e.classList.toggle("hot", ids.some((id) => state.hot.has(id)));
    const pinned = ids.some((id) => state.pinned.has(id));
    e.classList.toggle("pinned", pinned);
    if (e.getAttribute("role") === "option") e.setAttribute("aria-selected", String(pinned));
  }
}

function hover(ids) {
  state.hot = new Set(ids);
  mark();
}

function pin(ids, from) {
  const same = ids.length === state.pinned.size && ids.every((id) => state.pinned.has(id));
  state.pinned = new Set(same ? [] : ids);
  mark();
  if (same) return;
  for (const box of ["objects", "ir", "rules"]) {
    const first = byId(box).querySelector(".pinned");
    if (first && !(from && byId(box).contains(from))) first.scrollIntoView({ block: "center" });
  }
}

document.addEventListener("mouseover", (e) => hover(idsOf(e.target)));
document.addEventListener("focusin", (e) => hover(idsOf(e.target)));
document.addEventListener("click", (e) => {
  const ids = idsOf(e.target);
  if (ids.length) pin(ids, e.target);
});
document.addEventListener("keydown", (e) => {
  const typing = ["INPUT", "SELECT"].includes(document.activeElement.tagName);
  if (e.key === "Escape") {
    state.pinned.clear();
    hover([]);
  } else if (e.key === "/" && !typing) {
    e.preventDefault();
    byId("filter").focus();
  } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
    const list = [...byId("objects").children], at = list.indexOf(document.activeElement);
    const next = document.activeElement.id === "filter" && e.key === "ArrowDown" ? 0 : at < 0 ? -1 : at + (e.key === "ArrowDown" ? 1 : -1);
    if (next >= 0 && next < list.length) {
      e.preventDefault();
      list[next].focus();
    }
  }
});

// --- the packet

// places are names that a packet's ends may be given by: pods, nodes, Services.
function drawPlaces(node) {
  byId("places").replaceChildren(...Object.keys({ ...data.places, ...node.places }).sort().map((name) => element("option", undefined, { value: name })));
}

function place(text, node, other) {
  const named = node.places[text] || data.places[text];
  const list = (named || [text]).map(parseAddress).filter(Boolean);
  return list.find((a) => !other || a.family === other.family) || null;
}

function trace() {
  const node = data.nodes[state.node], read = (id) => byId(id).value.trim();
  const dst = place(read("to"), node), src = dst && place(read("from"), node, dst);
  const port = Number(read("port"));
  if (!dst || !src || !Number.isInteger(port) || port < 1 || port > 65535) {
    answer("wrong", !dst ? "“to” is no address and no name of this report" : !src ? "“from” has no address of that family" : "a port is a number from 1 to 65535", []);
    return;
  }
  const evaluator = new Evaluator(node.program);
  const here = (node.pods || []).some((t) => same(parseAddress(t), src));
  const local = node.program.node.local;
  const from = evaluator.isOwn(src) ? "node" : here ? "pod" : "outside";
  const way = from === "pod" && local.interface ? local.interface + (local.mode === "interface-prefix" ? "0" : "") : from === "outside" ? "eth0" : "";
  const r = evaluator.evaluate({ src, dst, port, protocol: read("protocol"), from, interface: way });
  let text = `${r.verdict} on ${node.name}`;
  if (r.verdict === "dnat") text += " to " + r.endpoints.map((c) => c.address).sort().join(", ");
  if (r.masquerade) text += ", masqueraded";
  if (r.denied.length) text += `; a policy keeps it from ${r.denied.map((c) => c.address).join(", ")}`;
  answer(r.verdict, text, r.steps);
}

function answer(kind, text, steps) {
  byId("verdict").className = kind;
  byId("verdict").textContent = text;
  byId("steps").replaceChildren(...steps.map((s) => {
    const li = element("li");
    li.append(element("b", s.stage), " " + s.text + " ");
    const id = data.objects.findIndex((o) => o.kind === s.origin.kind && o.name === s.origin.name && (o.namespace || "") === (s.origin.namespace || ""));
    if (id >= 0) li.append(element("button", placeOf(data.objects[id]) || nameOf(data.objects[id]), { type: "button", "data-objects": id }));
    return li;
  }));
}

byId("packet").addEventListener("submit", (e) => {
  e.preventDefault();
  trace();
});

// --- the controls

byId("node").addEventListener("change", (e) => { state.node = Number(e.target.value); state.file = 0; draw(); });
byId("backend").addEventListener("change", (e) => { state.backend = Number(e.target.value); state.file = 0; draw(); });
byId("file").addEventListener("change", (e) => { state.file = Number(e.target.value); draw(); });
byId("filter").addEventListener("input", drawObjects);
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

byId("changes").addEventListener("change", draw);

byId("only").hidden = !data.changed;
byId("findings").replaceChildren(...(data.findings || []).map((f) => {
  const li = element("li");
  li.append(element("b", f.kind, { class: f.kind }), " " + f.text);
  return li;
}));
options("node", data.nodes.map((n) => n.name), 0);
draw();
drawObjects();
