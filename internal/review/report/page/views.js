// Views: the panes side by side, and the map; on a narrow screen one pane at a time.

const views = [["code", "Rules side by side", "wide"], ["objects", "Objects", "slim"], ["manifests", "Manifests", "slim"], ["meaning", "Meaning", "slim"], ["rules", "Rules", "slim"], ["map", "Map", ""]];
const narrow = () => matchMedia("(max-width: 60rem)").matches;

function makeViews() {
  byId("views").replaceChildren(...views.map(([name, words, width]) => {
    const b = make("button", { type: "button", class: width, "data-view": name }, words);
    b.addEventListener("click", () => { chooseView(name); keepLink(); });
    return b;
  }));
  matchMedia("(max-width: 60rem)").addEventListener("change", () => chooseView(state.view));
}

// chooseView shows a view; a pane of its own exists on narrow screens only.
function chooseView(name) {
  const slim = narrow();
  if (!slim && name !== "map") name = "code";
  if (slim && name === "code") name = "manifests";
  if (name === "map" && !doc.map) name = slim ? "manifests" : "code";
  state.view = slim && name === "manifests" ? "code" : name;
  document.body.dataset.view = name;
  for (const b of byId("views").children) {
    b.setAttribute("aria-current", String(b.dataset.view === name));
    if (b.dataset.view === "map") b.hidden = !doc.map;
  }
  byId("views").hidden = !slim && !doc.map;
  if (name === "map") drawMap();
}

// makeTheme follows the system until the button is used.
function makeTheme() {
  const root = document.documentElement, button = byId("theme"), system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  const say = () => button.setAttribute("aria-pressed", String(dark()));
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    say();
  });
  system.addEventListener("change", say);
  say();
}
