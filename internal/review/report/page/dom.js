// Small helpers. All text goes in as text: names of objects are hostile.

const byId = (id) => document.getElementById(id);

// make makes an element: properties, then attributes by their names, then children.
function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) {
    if (k === "class") e.className = v;
    else if (v === true) e.setAttribute(k, "");
    else if (v !== undefined && v !== false && v !== null) e.setAttribute(k, v);
  }
  e.append(...children.filter((c) => c !== undefined && c !== null));
  return e;
}

// draw makes an element of a picture.
function draw(tag, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes || {})) if (v !== undefined) e.setAttribute(k, v);
  e.append(...children.filter((c) => c !== undefined && c !== null));
  return e;
}

// options fills a list to choose from; the chosen one is given by its name.
function options(select, names, chosen) {
  select.replaceChildren(...names.map((n) => make("option", { value: n }, n)));
  select.value = chosen;
}

const several = (n, what) => n === 1 ? `1 ${what}` : `${n} ${what}s`;

// calm is false where animation is welcome.
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
