// The manifests' pane: a tab for each file, its text, and the findings in the margin.

// manifestNames are the files: the document's, or those that are edited.
const manifestNames = () => editing() ? editor.files.map((f) => f.name) : (doc.files || []).map((f) => f.name);

class Manifests extends List {
  // revealLine shows a line of the new state, or of the old one.
  revealLine(line, old) {
    const i = this.rows.findIndex((r) => !r.gap && (old ? r.m : r.n) === line);
    if (i >= 0) this.move(i, true);
  }
}

function makeManifests() {
  panes.manifests = new Manifests("manifests", { height: 18, label: "lines of the manifest", row: manifestRow });
}

function manifestRow(row) {
  const e = textRow(row, yamlPieces);
  const said = margins.get(row.n);
  if (said && row.n) {
    e.classList.add("has-" + said.severity);
    e.title = said.text;
    e.append(make("span", { class: "vh" }, ` ${said.severity}: ${said.text}`));
  }
  return e;
}

// margins are the findings of the file that is shown, by line.
let margins = new Map();

function readMargins() {
  margins = new Map();
  for (const d of doc.diagnostics || []) {
    if (!d.line || fileOf(d.file) !== state.manifest) continue;
    const had = margins.get(d.line), text = `${d.code}: ${d.message}`;
    if (!had) margins.set(d.line, { severity: d.severity, text });
    else margins.set(d.line, { severity: severities[Math.min(severities.indexOf(had.severity), severities.indexOf(d.severity))], text: had.text + "\n" + text });
  }
}

function manifestRows() {
  const file = (doc.files || []).find((f) => f.name === state.manifest);
  const lines = file ? file.lines : [];
  if (editing()) {
    return rowsOf(editor.textOf(state.manifest).split("\n").map((t, i) => ({ t, o: lines[i] && lines[i].o })));
  }
  const rows = rowsOf(lines);
  return doc.changed && state.changes ? aroundChanges(rows) : rows;
}

function drawManifests() {
  const names = manifestNames();
  if (!names.includes(state.manifest)) state.manifest = names.find(hasChange) || names[0] || "";
  tabs(byId("manifest-files"), names, state.manifest, "manifest files", (name) => { showManifest(name); keepLink(); }, changeMark);
  readMargins();
  const rows = manifestRows();
  panes.manifests.box.setAttribute("aria-label", `lines of ${state.manifest || "the manifest"}`);
  panes.manifests.set(rows.length ? rows : [{ t: "The texts of the manifests are not on this page.", gap: true }], state.manifest);
  if (editing()) editor.draw();
}

function showManifest(name) {
  if (name === state.manifest) return;
  state.manifest = name;
  drawManifests();
}

const hasChange = (name) => doc.changed && (doc.files.find((f) => f.name === name) || { lines: [] }).lines.some((l) => l.c);

function changeMark(name) {
  return hasChange(name) ? make("span", { class: "mark" }, " ±", make("span", { class: "vh" }, " changed")) : null;
}

// followManifest shows the file of the pinned object, unless the shown file has lines
// of it.
function followManifest() {
  if (!marks.pinned.size || panes.manifests.count(marks.pinned)) return;
  const o = doc.objects[owner([...marks.pinned])], name = o && fileOf(o.file);
  if (name) showManifest(name);
}

const roomForTabs = 44; // characters

// tabs draws a few names as tabs, and many as a list to choose from.
function tabs(box, names, chosen, label, choose, extra) {
  const key = JSON.stringify([names, chosen]);
  if (box.key === key) return;
  const focused = box.contains(document.activeElement);
  box.key = key;
  const short = (name) => name.slice(name.lastIndexOf("/") + 1);
  if (names.reduce((sum, n) => sum + short(n).length, 0) > roomForTabs) {
    const select = make("select", { "aria-label": label }, ...names.map((name) => make("option", { value: name }, name, extra && extra(name))));
    select.value = chosen;
    select.addEventListener("change", () => choose(select.value));
    box.removeAttribute("role");
    box.removeAttribute("aria-label");
    box.replaceChildren(select);
  } else {
    box.setAttribute("role", "tablist");
    box.setAttribute("aria-label", label);
    box.replaceChildren(...names.map((name) => {
      const b = make("button", { type: "button", role: "tab", "aria-selected": String(name === chosen), tabindex: name === chosen ? "0" : "-1", "data-name": name }, short(name), extra && extra(name));
      b.title = name;
      b.addEventListener("click", () => choose(name));
      return b;
    }));
    box.onkeydown = (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (step) choose(names[(names.indexOf(chosen) + step + names.length) % names.length]);
    };
  }
  const now = box.querySelector("[aria-selected=true], select");
  if (now && focused) now.focus();
  if (now) box.scrollLeft = Math.max(now.offsetLeft - box.offsetLeft - box.clientWidth / 2, 0);
}
