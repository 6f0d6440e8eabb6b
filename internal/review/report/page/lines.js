// A list that draws the rows on the screen only, however many there are. Objects,
// the three panes of text and the connections of the map are such lists.

const drawAll = 250, spare = 25;

// sameRow reports that two rows look alike: k and d are what a row shows besides text.
const sameRow = (a, b) => a.t === b.t && a.c === b.c && a.h === b.h && a.gap === b.gap && a.n === b.n && a.k === b.k && a.d === b.d && a.edge === b.edge;

class List {
  // look: {height, label, row(row, i) → element, pick(row, i)}.
  constructor(id, look) {
    this.box = byId(id);
    this.id = id;
    this.look = look;
    this.rows = [];
    this.index = new Map();
    this.cursor = -1;
    this.shift = 0; // by how much the rows became fewer since they were drawn
    this.window = make("div", { class: "window" });
    this.sizer = make("div", { class: "sizer" }, this.window);
    this.ruler = make("div", { class: "ruler", "aria-hidden": "true" });
    this.box.append(this.ruler, this.sizer);
    for (const [k, v] of Object.entries({ role: "listbox", tabindex: "0", "aria-label": look.label })) this.box.setAttribute(k, v);
    // Where it is scrolled to and how high it is: asking the box lays out the page.
    this.top = this.high = 0;
    this.box.addEventListener("scroll", () => {
      this.top = this.box.scrollTop;
      this.later();
    });
    this.box.addEventListener("mouseover", (e) => hover(this.idsAt(this.at(e))));
    this.box.addEventListener("mouseleave", () => hover([]));
    this.box.addEventListener("click", (e) => this.pick(this.at(e)));
    this.box.addEventListener("keydown", (e) => this.key(e));
    this.box.addEventListener("blur", () => hover([]));
    new ResizeObserver(() => {
      this.high = this.box.clientHeight;
      this.top = this.box.scrollTop;
      this.later();
      this.rule();
    }).observe(this.box);
    lists.push(this);
  }

  // set shows other rows; where they are of the same text, the place is kept.
  set(rows, name) {
    const same = name !== undefined && name === this.name;
    this.name = name;
    this.shift = this.rows.length - rows.length;
    this.rows = rows;
    this.index = indexRows(rows);
    this.cursor = same ? Math.min(this.cursor, rows.length - 1) : -1;
    if (this.shift) this.sizer.style.height = rows.length * this.look.height + "px";
    this.from = this.to = -1;
    if (!same) this.scroll(0, 0);
    this.paint();
  }

  scroll(top, left = this.box.scrollLeft) {
    this.box.scrollTop = top;
    this.box.scrollLeft = left;
    this.top = this.box.scrollTop; // as far as it goes
  }

  later() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.paint();
    });
  }

  paint() {
    const h = this.look.height, n = this.rows.length;
    let from = 0, to = n;
    if (n > drawAll) {
      const high = this.high || 600, top = Math.min(this.top, Math.max(n * h - high, 0));
      from = Math.max(Math.floor(top / h) - spare, 0);
      to = Math.min(Math.ceil((top + high) / h) + spare, n);
      if (from >= this.from && to <= this.to && this.to - this.from < to - from + 2 * spare) return;
    } else if (this.from === 0 && this.to === n) return;
    [this.from, this.to] = [from, to];
    // Most rows were there before: a pane scrolls, or one line is edited.
    const had = new Map([...this.window.children].map((e) => [e.i, e])), made = [];
    const reused = (i, at) => {
      const e = had.get(at);
      if (!e || !sameRow(e.row, this.rows[i])) return null;
      had.delete(at);
      return e;
    };
    for (let i = from; i < to; i++) made.push(reused(i, i) || reused(i, i + this.shift) || this.element(i));
    made.forEach((e, k) => this.number(e, from + k));
    this.shift = 0;
    const at = `translateY(${from * h}px)`;
    if (this.window.style.transform !== at) this.window.style.transform = at;
    this.patch(had.values(), made);
    this.marks();
  }

  // patch makes the elements those of the window, and leaves alone what is in its place:
  // what is moved is laid out again.
  patch(gone, made) {
    for (const e of gone) e.remove();
    let next = this.window.firstChild;
    for (const e of made) {
      if (e === next) next = next.nextSibling;
      else this.window.insertBefore(e, next);
    }
  }

  element(i) {
    const e = this.look.row(this.rows[i], i);
    e.row = this.rows[i];
    e.base = e.className;
    e.setAttribute("role", "option");
    return e;
  }

  // number says which row an element is.
  number(e, i) {
    if (e.i === i && e.of === this.rows.length) return;
    e.i = i;
    e.of = this.rows.length;
    e.id = `${this.id}-${i}`;
    e.setAttribute("aria-posinset", i + 1);
    e.setAttribute("aria-setsize", e.of);
  }

  // marks dresses the drawn rows.
  marks() {
    for (const e of this.window.children) {
      const ids = this.rows[e.i].o || [];
      const hot = owner(ids, marks.hot), pinned = owner(ids, marks.pinned), own = hot >= 0 ? hot : pinned >= 0 ? pinned : owner(ids);
      const dress = e.base + (own >= 0 ? ` own k k${doc.hues[own]}` : "") + (hot >= 0 ? " hot" : "") + (pinned >= 0 ? " pinned" : "") + (e.i === this.cursor ? " cursor" : "");
      if (e.className !== dress) e.className = dress;
      if (e.getAttribute("aria-selected") !== String(pinned >= 0)) e.setAttribute("aria-selected", String(pinned >= 0));
    }
    this.rule();
  }

  // rule shows beside the scroll bar where the pinned rows are.
  rule() {
    const at = new Map(), height = this.high, n = this.rows.length || 1;
    if (height && n * this.look.height > height) {
      for (const id of marks.pinned) for (const i of this.index.get(id) || []) at.set(Math.floor(i / n * height / 2) * 2, doc.hues[id]);
    }
    const key = [...at].join();
    if (key === this.ruled) return;
    this.ruled = key;
    this.ruler.replaceChildren(...[...at].map(([y, hue]) => make("i", { class: `k k${hue}`, style: `top:${y}px` })));
  }

  at(e) {
    const row = e.target.closest && e.target.closest("[role=option]");
    return row && this.window.contains(row) ? row.i : -1;
  }

  idsAt(i) { return this.rows[i] && this.rows[i].o || []; }

  pick(i) {
    if (i < 0 || !this.rows[i]) return;
    this.move(i, true);
    if (this.look.pick) this.look.pick(this.rows[i], i);
    else if (this.idsAt(i).length) pin(this.idsAt(i), this);
  }

  count(ids) { return this.placesOf(ids).size; }

  placesOf(ids) {
    const all = new Set();
    for (const id of ids) for (const i of this.index.get(id) || []) all.add(i);
    return all;
  }

  revealFirst(ids) {
    let first = -1;
    for (const i of this.placesOf(ids)) {
      const better = first < 0 || Boolean(this.rows[i].h) - Boolean(this.rows[first].h) || first - i;
      if (better === true || better > 0) first = i;
    }
    if (first >= 0) this.reveal(first);
  }

  // reveal scrolls to a row, in the upper part of the picture, unless it is well inside of the picture.
  reveal(i, nearest) {
    const h = this.look.height, top = this.box.scrollTop, view = this.high = this.box.clientHeight, y = i * h;
    if (y >= top + (nearest ? 0 : h) && y + h <= top + view - (nearest ? 0 : 2 * h)) return;
    const to = nearest ? (y < top ? y : y + h - view) : Math.max(y - view / 4, 0);
    this.scroll(to);
    this.paint();
  }

  move(i, quiet) {
    this.cursor = Math.max(0, Math.min(i, this.rows.length - 1));
    this.reveal(this.cursor, true);
    this.marks();
    this.box.setAttribute("aria-activedescendant", `${this.id}-${this.cursor}`);
    if (!quiet) hover(this.idsAt(this.cursor));
  }

  key(e) {
    if (e.target !== this.box || e.ctrlKey || e.metaKey || e.altKey || !this.rows.length) return;
    const page = Math.max(Math.floor(this.box.clientHeight / this.look.height) - 2, 1);
    const to = { ArrowDown: this.cursor + 1, ArrowUp: this.cursor - 1, PageDown: this.cursor + page, PageUp: this.cursor - page, Home: 0, End: this.rows.length - 1 }[e.key];
    if (to !== undefined) this.move(to);
    else if (e.key === "Enter" || e.key === " ") this.pick(Math.max(this.cursor, 0));
    else return;
    e.preventDefault();
  }
}

// textRow is a row of a pane of text.
function textRow(row, pieces) {
  const no = row.gap ? "" : row.c === "old" ? "−" : (row.c === "new" ? "+" : "") + (row.n || "");
  return make("div", { class: "row" + (row.c ? " " + row.c : "") + (row.h ? " heading" : "") + (row.gap ? " gap" : "") },
    make("span", { class: "no" }, no), coloured(row.t, pieces));
}
