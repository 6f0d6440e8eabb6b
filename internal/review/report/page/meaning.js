// What must happen on a node: as people read it, or the program's own text.

function makeMeaning() {
  panes.meaning = new List("meaning", { height: 18, label: "what must happen", row: (row) => textRow(row, plainPieces) });
  byId("raw").addEventListener("click", () => {
    state.raw = !state.raw;
    drawMeaning();
    panes.meaning.revealFirst(marks.pinned);
  });
}

const shownNode = () => doc.byNode.get(state.node);

function shownRows(lines) {
  const rows = rowsOf(lines);
  return doc.changed && state.changes ? aroundChanges(rows) : rows;
}

function drawMeaning() {
  const node = shownNode();
  byId("raw").setAttribute("aria-pressed", String(state.raw));
  panes.meaning.set(node ? shownRows(state.raw ? node.ir : node.meaning) : [], `${state.node} ${state.raw} ${state.changes}`);
}
