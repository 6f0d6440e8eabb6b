// With an engine (window.planec) the manifests can be edited: a text area with
// invisible text lies over the coloured lines. Each change makes another document.

const pause = 200; // milliseconds after an answer until the address has what was typed

const engine = () => window.planec;
const editing = () => editor.files.length > 0;
const settingsName = "node settings";

const editor = {
  files: [], // {name, text}: the manifests, and the node's settings
  areas: new Map(),
  edited: false,
  packedText: "",
  asked: 0,
  backends: [], // the names of those that the first document had

  // start takes over what the engine begins with, or what a link brought along.
  async start(edit) {
    let files = engine().files.map((f) => ({ ...f })), settings = engine().settings || "";
    if (edit) {
      try {
        const was = JSON.parse(await unpacked(edit));
        files = was.files.map((f) => ({ name: String(f.name), text: String(f.text) }));
        settings = String(was.settings || "");
        this.edited = true;
        this.packedText = edit;
      } catch {
        byId("engine").textContent = "the edited manifests of this link cannot be read";
      }
    }
    this.files = [...files, { name: settingsName, text: settings, settings: true }];
    for (const a of this.areas.values()) a.remove();
    this.areas.clear();
    panes.manifests.box.setAttribute("role", "group");
    panes.manifests.box.removeAttribute("tabindex");
    this.backends = [];
    await this.compile();
  },

  manifests() { return this.files.filter((f) => !f.settings).map(({ name, text }) => ({ name, text })); },
  settings() { return this.files.find((f) => f.settings).text; },
  textOf(name) { return (this.files.find((f) => f.name === name) || { text: "" }).text; },

  // area is the text area of a file; each keeps its own history of undo.
  area(name) {
    let a = this.areas.get(name);
    if (!a) {
      a = make("textarea", { spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", "aria-label": `Edit ${name}. Escape, then Tab, leaves the editor.` });
      a.value = this.textOf(name);
      a.addEventListener("input", () => this.typed(name, a));
      a.addEventListener("keydown", (e) => this.key(e, a));
      a.addEventListener("mousemove", (e) => hover(panes.manifests.idsAt(Math.floor(e.offsetY / 18))));
      a.addEventListener("mouseup", () => this.follow(a));
      this.areas.set(name, a);
      panes.manifests.sizer.append(a);
    }
    return a;
  },

  // draw shows the text area of the chosen file.
  draw() {
    const now = this.area(state.manifest);
    for (const a of this.areas.values()) a.hidden = a !== now;
    const widest = now.value.split("\n").reduce((most, l) => Math.max(most, l.length), 0);
    panes.manifests.sizer.style.width = `max(100%, calc(${widest + 3}ch + 5rem))`;
  },

  typed(name, a) {
    this.files.find((f) => f.name === name).text = a.value;
    this.edited = true;
    this.compile(); // the engine begins while the page is drawn; of several keys it answers the last one
    drawManifests();
  },

  key(e, a) {
    if (e.key === "Escape") {
      this.leave = true;
      e.stopPropagation();
      return;
    }
    if (e.key === "Tab" && !e.shiftKey && !this.leave) {
      e.preventDefault();
      document.execCommand("insertText", false, "  ");
    }
    if (e.key !== "Shift") this.leave = false;
    if (e.key.startsWith("Arrow")) setTimeout(() => this.follow(a));
  },

  // follow marks the object that the caret is in.
  follow(a) {
    const line = a.value.slice(0, a.selectionStart).split("\n").length - 1, ids = panes.manifests.idsAt(line);
    if (ids.length) pin(ids, panes.manifests, true);
  },

  // complete adds the backends that were not asked for, without their rules: those of the one
  // that is shown are there sooner alone.
  complete(d) {
    if (!this.backends.length && d.nodes.length) this.backends = d.nodes[0].backends.map((b) => b.name);
    const all = (n) => this.backends.map((name) => n.backends.find((b) => b.name === name) || { name, files: [], later: true });
    return { ...d, nodes: d.nodes.map((n) => ({ ...n, backends: all(n) })) };
  },

  // keep puts what was typed into the address.
  async keep() {
    clearTimeout(this.timer);
    const text = this.edited ? await packed(JSON.stringify({ files: this.manifests(), settings: this.settings() })) : "";
    this.packedText = text;
    keepLink();
  },

  // compile asks for the document of what was typed; an older answer is dropped.
  async compile() {
    const asked = ++this.asked, began = performance.now();
    byId("engine").textContent = "compiling";
    try {
      const made = await engine().compile({ files: this.manifests(), settings: this.settings(), node: state.node, backend: this.backends.length ? state.backend : "" });
      if (asked !== this.asked) return;
      if (made) show(this.complete(made));
      byId("engine").textContent = `compiled in ${Math.round(performance.now() - began)} ms`;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.keep(), pause);
      if (state.asked) askAgain();
    } catch (problem) {
      if (asked === this.asked) byId("engine").textContent = `the compiler failed: ${problem && problem.message || problem}`;
    }
  },
};

const editedPart = () => editor.packedText;
