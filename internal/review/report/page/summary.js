// The summary: what this is in words, then findings, which lead to their objects and lines.

// placeRow is the manifest file and the row of a place, which may have the prefix of
// a state: a directory or a revision.
function fileOf(name) {
  if (!name) return "";
  const names = manifestNames();
  return names.includes(name) ? name : names.find((n) => name.endsWith("/" + n) || name.endsWith(":" + n)) || "";
}

function goTo(place) {
  const name = place && fileOf(place.file);
  if (!name) return;
  showManifest(name);
  panes.manifests.revealLine(place.line, place.old);
}

function findingRow(f) {
  const places = f.places || [], aims = (f.objects || []).length || places.length;
  const act = () => {
    if ((f.objects || []).length) pin(f.objects, null, true);
    if (places.length) goTo(places[0]);
    chooseView(narrow() ? "manifests" : "code");
  };
  const text = [make("span", { class: "tag " + f.kind }, f.kind), make("span", null, f.text)];
  if (f.hint) text.push(make("small", null, f.hint));
  const e = aims ? make("button", { type: "button", class: "finding" }, ...text) : make("div", { class: "finding" }, ...text);
  if (aims) e.addEventListener("click", act);
  return make("li", null, e);
}

const severities = ["error", "warning", "info"];

function drawSummary() {
  byId("headline").textContent = doc.headline || "planec";
  document.title = `${doc.headline || "report"} · planec`;
  byId("counts").replaceChildren(...(doc.changed ? doc.counts || [] : []).filter((c) => !c.startsWith("0 ")).map((c) => make("li", null, c)));
  const said = [...(doc.diagnostics || [])].sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const all = [...(doc.findings || []), ...said.map((d) => ({
    kind: d.severity, text: `${d.message} (${[d.file && d.file + (d.line ? ":" + d.line : ""), d.code].filter(Boolean).join(", ")})`, hint: d.hint,
    objects: d.objects, places: d.file ? [{ file: d.file, line: d.line }] : [],
  }))];
  const number = new Map();
  for (const f of all) number.set(f.kind, (number.get(f.kind) || 0) + 1);
  const words = [...number].map(([kind, n]) => ["error", "warning", "note"].includes(kind) ? several(n, kind) : `${n} ${kind}`);
  byId("findings-title").textContent = words.join(", ");
  byId("findings").replaceChildren(...all.slice(0, 500).map(findingRow), ...(all.length > 500 ? [make("li", { class: "nothing" }, `and ${all.length - 500} more`)] : []));
  const box = byId("findings-box");
  if (box.hidden) box.open = doc.changed || (doc.diagnostics || []).some((d) => d.severity === "error");
  box.hidden = !all.length;
}
