// The rules of a backend on a node, one file of them at a time.

function makeRules() {
  panes.rules = new List("rules", { height: 18, label: "rules", row: (row) => textRow(row, rulePieces) });
  byId("file").addEventListener("change", (e) => { state.file = e.target.value; drawRules(); panes.rules.revealFirst(marks.pinned); keepLink(); });
}

function chooseBackend(name) {
  state.backend = name;
  drawRules();
  panes.rules.revealFirst(marks.pinned);
  sayMarked();
  keepLink();
  if (isLater()) editor.compile();
}

// isLater reports whether the rules of the chosen backend were not asked for yet.
const isLater = () => Boolean(editing() && shownNode()?.backends.find((b) => b.name === state.backend)?.later);

function drawRules() {
  const node = shownNode(), backends = node ? node.backends : [];
  const backend = backends.find((b) => b.name === state.backend) || backends[0];
  state.backend = backend ? backend.name : "";
  const files = backend ? backend.files : [];
  const file = files.find((f) => f.name === state.file) || mainFile(files);
  state.file = file ? file.name : "";
  tabs(byId("backends"), backends.map((b) => b.name), state.backend, "backends", chooseBackend);
  options(byId("file"), files.map((f) => f.name), state.file);
  byId("file").parentElement.hidden = files.length < 2;
  panes.rules.box.setAttribute("aria-label", `rules of ${state.backend}, ${state.file}`);
  panes.rules.set(file ? shownRows(file.lines) : [{ t: isLater() ? "Not compiled yet." : "This page has no rules.", gap: true }], `${state.node} ${state.backend} ${state.file} ${state.changes}`);
}

// mainFile is the file to show first: that of the rules, else the one with the most
// lines.
function mainFile(files) {
  const known = files.find((f) => /^(rules|iptables|ipvsadm|maps)\.(nft|rules|txt)$/.test(f.name));
  if (known) return known;
  return files.reduce((most, f) => !most || f.lines.length > most.lines.length ? f : most, null);
}
