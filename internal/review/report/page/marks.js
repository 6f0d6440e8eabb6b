// What is marked: hot is what the pointer or the focus is at, pinned is what was
// chosen. Lists repaint the rows that are on the screen, and only these.

const marks = { hot: new Set(), pinned: new Set() };
const lists = [];

function repaint() {
  for (const l of lists) l.marks();
  markMap();
}

function hover(ids) {
  if (ids.length === marks.hot.size && ids.every((id) => marks.hot.has(id))) return;
  marks.hot = new Set(ids);
  repaint();
}

// pin marks objects, or lets go of them where exactly they are marked already.
function pin(ids, from, keep) {
  const same = !keep && ids.length === marks.pinned.size && ids.every((id) => marks.pinned.has(id));
  marks.pinned = new Set(same ? [] : ids);
  state.pinned = [...marks.pinned].map((id) => keyOf(doc.objects[id]));
  if (marks.pinned.size) showPinned(from);
  repaint();
  sayMarked();
  keepLink();
}

// showPinned scrolls every other pane to the first marked row.
function showPinned(from) {
  if (from !== panes.manifests) followManifest();
  for (const l of lists) if (l !== from) l.revealFirst(marks.pinned);
}

function letGo() {
  marks.hot = new Set();
  pin([], null, true);
}

// repin finds the pinned objects again in a new document.
function repin() {
  marks.hot = new Set();
  marks.pinned = new Set(state.pinned.map((key) => doc.byKey.get(key)).filter((id) => id !== undefined));
}

// sayMarked says it in words, for those who do not see the colours.
function sayMarked() {
  const box = byId("status"), ids = [...marks.pinned];
  if (!ids.length) {
    box.className = "";
    box.replaceChildren(make("span", null, "Point at a line or an object to see what belongs to it; click, or press Enter, to keep it marked."));
    return;
  }
  const first = owner(ids), o = doc.objects[first];
  box.className = "k k" + doc.hues[first];
  const where = [[panes.manifests, "in the manifest"], [panes.meaning, "in what must happen"], [panes.rules, `in ${state.backend} ${state.file}`]];
  const counts = where.map(([p, words]) => `${several(p.count(marks.pinned), "line")} ${words}`);
  const elsewhere = panes.meaning.count(marks.pinned) ? [] : doc.nodes.filter((n) => n.name !== state.node && n.meaning.some((l) => (l.o || []).some((id) => marks.pinned.has(id))));
  const links = elsewhere.slice(0, 3).map((n) => {
    const b = make("button", { type: "button", class: "link" }, `see it on ${n.name}`);
    b.addEventListener("click", () => chooseNode(n.name));
    return b;
  });
  box.replaceChildren(...[make("b", null, titleOf(o)), ids.length > 1 ? make("span", null, `and ${ids.length - 1} more`) : null, make("span", null, placeOf(o)), make("span", null, counts.join(" · ")), ...links, make("span", null, "Esc lets go")].filter(Boolean));
}
