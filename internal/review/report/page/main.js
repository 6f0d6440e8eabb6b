// The page is a function of a document: show(document).

function show(d) {
  setDocument(d);
  if (!doc.byNode.has(state.node)) state.node = doc.nodes.length ? doc.nodes[0].name : "";
  options(byId("node"), doc.nodes.map((n) => n.name), state.node);
  byId("only").hidden = !doc.changed;
  byId("changes").checked = state.changes;
  byId("places").replaceChildren(...Object.keys(doc.places || {}).sort().map((name) => make("option", { value: name })));
  repin();
  drawObjects();
  drawManifests();
  drawMeaning();
  drawRules();
  drawSummary();
  mapStale = true;
  chooseView(state.view);
  sayMarked();
}

function chooseNode(name) {
  state.node = byId("node").value = name;
  drawMeaning();
  drawRules();
  for (const p of [panes.meaning, panes.rules]) p.revealFirst(marks.pinned);
  sayMarked();
  keepLink();
}

// restore does what a link says.
function restore() {
  drawPacket();
  if (marks.pinned.size) {
    const named = new URLSearchParams(location.hash.slice(1)).has("manifest");
    if (!named) followManifest();
    for (const l of lists) l.revealFirst(marks.pinned);
  }
  sayMarked();
  if (state.from && state.to && state.port) ask();
}

async function copyLink() {
  if (editing()) await editor.keep();
  const button = byId("share"), text = location.href.split("#")[0] + link(editedPart());
  keepLink();
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "It is in the address bar";
  }
  setTimeout(() => { button.textContent = "Copy link"; }, 2000);
}

// beginEditing hands the page over to its engine. A page without a document has
// forgotten the link's choices, which it could not show.
async function beginEditing(edit) {
  readLink();
  await editor.start(edit);
}

async function start() {
  makeObjects();
  makeManifests();
  makeMeaning();
  makeRules();
  makeViews();
  makeTheme();
  makeKeys();
  makeMap();
  makePacket();
  byId("node").addEventListener("change", (e) => chooseNode(e.target.value));
  byId("changes").addEventListener("change", (e) => {
    state.changes = e.target.checked;
    drawManifests();
    drawMeaning();
    drawRules();
  });
  byId("share").addEventListener("click", copyLink);
  const edit = readLink(), embedded = JSON.parse(byId("data").textContent);
  const none = { headline: "planec", counts: [], changed: false, findings: [], diagnostics: [], objects: [], files: [], places: {}, nodes: [] };
  show(embedded || none);
  if (engine()) await beginEditing(edit);
  else window.addEventListener("planec", () => beginEditing(edit).then(restore), { once: true });
  restore();
  addEventListener("hashchange", async () => {
    if (location.hash === kept) return;
    const more = readLink();
    if (engine() && more !== null && more !== editor.packedText) await editor.start(more);
    else show(doc);
    restore();
  });
}

start();
