// The list of objects: the key to the colours.

const panes = {};

function objectRow(row) {
  const o = doc.objects[row.id];
  const e = make("div", { class: "item" + (o.used ? "" : " idle"), title: `${titleOf(o)}${o.change ? ", " + o.change : ""}${o.file ? ", " + placeOf(o) : ""}${o.used ? "" : ": nothing on the nodes of this page comes from it"}` },
    make("span", { class: "dot", "aria-hidden": "true" }), make("span", { class: "kind" }, kindShort[o.kind] || o.kind.slice(0, 5)), make("span", { class: "name" }, o.namespace ? make("span", { class: "ns" }, o.namespace + "/") : null, make("span", { class: "own-name" }, o.name)));
  if (o.change) e.append(make("span", { class: "tag " + o.change }, { new: "+", changed: "±", deleted: "−" }[o.change], make("span", { class: "vh" }, " " + o.change)));
  return e;
}

function makeObjects() {
  panes.objects = new List("objects", { height: 26, label: "objects", row: objectRow, pick: (row) => pin([row.id], panes.objects) });
  byId("filter").addEventListener("input", drawObjects);
}

// drawObjects lists what the filter's words leave: changed objects first, then by kind.
function drawObjects() {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const ids = [];
  doc.objects.forEach((o, id) => {
    const text = `${o.kind} ${nameOf(o)} ${placeOf(o)} ${o.change || ""}`.toLowerCase();
    if (words.every((w) => text.includes(w))) ids.push(id);
  });
  ids.sort((a, b) => Boolean(doc.objects[b].change) - Boolean(doc.objects[a].change) || doc.ranks[a] - doc.ranks[b] || a - b);
  panes.objects.set(ids.map((id) => ({ id, o: [id] })), words.join(" "));
  byId("objects-count").textContent = words.length ? `${ids.length} of ${doc.objects.length}` : String(doc.objects.length);
}
