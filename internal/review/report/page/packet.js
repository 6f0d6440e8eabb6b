// The packet box: a question, its answer as a sentence, and the steps.

const fields = ["from", "to", "port", "protocol"];

function makePacket() {
  byId("packet").addEventListener("submit", (e) => {
    e.preventDefault();
    for (const k of fields) state[k] = byId(k).value.trim();
    ask();
  });
  byId("steps-toggle").addEventListener("click", () => openSteps(byId("steps").hidden));
  byId("dismiss").addEventListener("click", () => {
    byId("answer").hidden = true;
    state.asked = false;
    for (const k of ["from", "to", "port"]) state[k] = "";
    keepLink();
    byId("from").focus();
  });
}

function drawPacket() {
  for (const k of fields) byId(k).value = state[k];
  if (!(state.from && state.to && state.port)) byId("answer").hidden = true;
}

function openSteps(open) {
  byId("steps").hidden = !open;
  byId("steps-toggle").setAttribute("aria-expanded", String(open));
}

let questions = 0;

async function ask() {
  const q = Object.fromEntries(fields.map((k) => [k, state[k]])), mine = ++questions;
  state.asked = true;
  keepLink();
  let pieces, kind, steps = [];
  try {
    const a = editing() ? await answerOfEngine(q) : answerOfPage(q);
    pieces = sentence(q, a);
    kind = arrives(a) ? "arrives" : a.verdict === "unknown" ? "wrong" : "refused";
    steps = a.steps;
  } catch (problem) {
    pieces = ["", "", problem.message];
    kind = "wrong";
  }
  if (mine !== questions) return;
  byId("answer").hidden = false;
  byId("answer").className = kind;
  byId("verdict").replaceChildren(pieces[0], make("b", null, pieces[1]), pieces[2]);
  byId("steps-toggle").hidden = !steps.length;
  if (!steps.length) openSteps(false);
  drawSteps(steps);
}

const askAgain = () => ask();

// drawSteps lists the steps by node, with links to the lines behind them.
function drawSteps(steps) {
  let node;
  const rows = [];
  for (const s of steps) {
    if (s.node !== node) rows.push(make("li", { class: "hop" }, `on ${s.node || "whichever node the pod will be on"}`));
    node = s.node;
    const li = make("li", null, make("b", null, s.stage), make("span", null, s.text)), id = idOf(s.origin);
    if (id >= 0) {
      const b = make("button", { type: "button", class: "link" }, placeOf(s.origin) || nameOf(doc.objects[id]));
      b.addEventListener("click", () => {
        pin([id], null, true);
        goTo(s.origin);
        chooseView(narrow() ? "manifests" : "code");
      });
      b.addEventListener("mouseenter", () => hover([id]));
      b.addEventListener("mouseleave", () => hover([]));
      li.append(b);
    }
    rows.push(li);
  }
  byId("steps").replaceChildren(...rows);
}
