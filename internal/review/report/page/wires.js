// The arrows of the map: curves between boxes, with their tips and the places of labels.

// tip is an arrow's head at a place, for the direction that it comes from.
function tip(x, y, angle) {
  const at = (length, turn) => `${(x - length * Math.cos(angle + turn)).toFixed(1)} ${(y - length * Math.sin(angle + turn)).toFixed(1)}`;
  return `M${x.toFixed(1)} ${y.toFixed(1)}L${at(10, .42)}L${at(10, -.42)}z`;
}

// wire is the curve between two boxes in columns.
function wire(a, b) {
  const y1 = a.y + a.h / 2, y2 = b.y + b.h / 2;
  if (a === b) return loop(a);
  if (b.x > a.x + a.w || b.x + b.w < a.x) {
    const way = b.x > a.x ? 1 : -1, x1 = way > 0 ? a.x + a.w : a.x, x2 = way > 0 ? b.x : b.x + b.w, bend = Math.max(Math.abs(x2 - x1) / 2, 40) * way;
    const lift = way > 0 ? 0 : 9, angle = way > 0 ? 0 : Math.PI;
    return {
      d: `M${x1} ${y1 + lift}C${x1 + bend} ${y1 + lift} ${x2 - bend} ${y2 + lift} ${x2 - 8 * way} ${y2 + lift}`,
      x: x2, y: y2 + lift, angle, x0: x1, y0: y1 + lift, angle0: Math.PI - angle, lx: x1 + (x2 - x1) * .62, ly: y1 + (y2 - y1) * .68 + lift - 5,
    };
  }
  const x = Math.max(a.x + a.w, b.x + b.w), out = 26 + Math.abs(y2 - y1) / 5;
  return {
    d: `M${a.x + a.w} ${y1}C${x + out} ${y1} ${x + out} ${y2} ${b.x + b.w + 8} ${y2}`,
    x: b.x + b.w, y: y2, angle: Math.PI, x0: a.x + a.w, y0: y1, angle0: Math.PI, lx: x + out * .8, ly: (y1 + y2) / 2,
  };
}

// loop is what leads from a box to itself.
function loop(a) {
  const x = a.x + a.w, y = a.y + a.h / 2;
  return { d: `M${x} ${y - 10}c34 -22 34 42 8 20`, x, y: y + 10, angle: Math.PI, x0: x, y0: y - 10, angle0: Math.PI, lx: x + 32, ly: y - 18 };
}

// edgeOf is where a line from the middle of a box towards a point leaves the box.
function edgeOf(box, to, gap) {
  const cx = box.x + box.w / 2, cy = box.y + box.h / 2, dx = to.x - cx, dy = to.y - cy;
  const part = Math.min((box.w / 2 + gap) / (Math.abs(dx) || 1e-9), (box.h / 2 + gap) / (Math.abs(dy) || 1e-9), 1);
  return { x: cx + dx * part, y: cy + dy * part };
}

// chord is the curve between two boxes on the circle; there and back are bent apart.
function chord(a, b, straight) {
  if (a === b) return loop(a);
  const from = { x: a.x + a.w / 2, y: a.y + a.h / 2 }, to = { x: b.x + b.w / 2, y: b.y + b.h / 2 };
  const long = Math.hypot(to.x - from.x, to.y - from.y) || 1, bend = straight ? 0 : Math.min(26, long / 7);
  const mid = { x: (from.x + to.x) / 2 - (to.y - from.y) / long * bend, y: (from.y + to.y) / 2 + (to.x - from.x) / long * bend };
  const start = edgeOf(a, mid, 1), end = edgeOf(b, mid, 1), round = (n) => n.toFixed(1);
  const at = (t, k) => (1 - t) ** 2 * start[k] + 2 * t * (1 - t) * mid[k] + t * t * end[k], t = straight ? .5 : .58;
  return {
    d: `M${round(start.x)} ${round(start.y)}Q${round(mid.x)} ${round(mid.y)} ${round(end.x)} ${round(end.y)}`,
    x: end.x, y: end.y, angle: Math.atan2(end.y - mid.y, end.x - mid.x), x0: start.x, y0: start.y, angle0: Math.atan2(start.y - mid.y, start.x - mid.x),
    lx: at(t, "x"), ly: at(t, "y") + 3,
  };
}
