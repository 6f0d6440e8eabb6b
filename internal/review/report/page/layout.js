// The layout of the map: columns by the distance from where connections start, and in
// each column the order that crosses least. The same input gives the same picture.

const most = 60; // workloads on the map before namespaces stand for them

// folded puts namespaces in the place of workloads.
function folded(map) {
  const names = new Map(), boxes = [];
  const at = map.workloads.map((w) => {
    const name = w.outside || !w.namespace ? w.name : w.namespace;
    if (!names.has(name)) {
      names.set(name, boxes.length);
      boxes.push({ name, namespace: w.namespace, outside: w.outside, count: 0, fold: !w.outside && Boolean(w.namespace) });
    }
    boxes[names.get(name)].count++;
    return names.get(name);
  });
  const edges = new Map();
  map.edges.forEach((e, i) => {
    const key = `${at[e.from]} ${at[e.to]} ${e.change || ""}`;
    if (!edges.has(key)) edges.set(key, { from: at[e.from], to: at[e.to], change: e.change, of: [] });
    edges.get(key).of.push(i);
  });
  return { boxes, edges: [...edges.values()].map((e) => ({ ...e, ports: e.of.length === 1 ? map.edges[e.of[0]].ports : `${e.of.length} connections` })) };
}

// plainly keeps workloads as they are.
function plainly(map) {
  return { boxes: map.workloads.map((w) => ({ name: w.name, namespace: w.namespace, outside: w.outside, pods: w.pods })), edges: map.edges.map((e, i) => ({ ...e, of: [i] })) };
}

// ranks are the columns: 0 for what nothing connects to, and for outside.
function ranks(boxes, edges) {
  const rank = boxes.map((b) => b.outside ? 0 : -1), into = boxes.map(() => 0);
  for (const e of edges) if (e.from !== e.to) into[e.to]++;
  boxes.forEach((b, i) => { if (!into[i]) rank[i] = b.outside ? 0 : edges.some((e) => e.from === i) ? 1 : 0; });
  let wave = rank.flatMap((r, i) => r >= 0 ? [i] : []);
  if (!wave.length && boxes.length) {
    wave = [0];
    rank[0] = 0;
  }
  while (true) {
    while (wave.length) {
      const next = [];
      for (const e of edges) {
        if (wave.includes(e.from) && rank[e.to] < 0) {
          rank[e.to] = Math.min(rank[e.from] + 1, 5);
          next.push(e.to);
        }
      }
      wave = next;
    }
    const rest = rank.findIndex((r) => r < 0);
    if (rest < 0) return rank;
    rank[rest] = 1;
    wave = [rest];
  }
}

// arrange gives every box its place.
function arrange(boxes, edges) {
  const rank = ranks(boxes, edges), used = [...new Set(rank)].sort((a, b) => a - b), tallest = 14;
  let columns = used.map((r) => boxes.map((_, i) => i).filter((i) => rank[i] === r));
  columns = columns.flatMap((c) => {
    const parts = Math.ceil(c.length / tallest), size = Math.ceil(c.length / parts);
    return Array.from({ length: parts }, (_, p) => c.slice(p * size, (p + 1) * size));
  });
  const position = new Map();
  const number = (c) => c.forEach((id, i) => position.set(id, (i + .5) / c.length));
  columns.forEach(number);
  for (let sweep = 0; sweep < 6; sweep++) {
    for (const c of sweep % 2 ? [...columns].reverse() : columns) {
      const weight = new Map(c.map((id) => {
        const others = edges.flatMap((e) => e.from === id && e.to !== id ? [e.to] : e.to === id && e.from !== id ? [e.from] : []);
        return [id, others.length ? others.reduce((sum, o) => sum + position.get(o), 0) / others.length : position.get(id)];
      }));
      c.sort((a, b) => weight.get(a) - weight.get(b) || a - b);
      number(c);
    }
  }
  return placed(boxes, columns);
}

// placed turns columns into pixels.
function placed(boxes, columns) {
  const gapX = 130, gapY = 26, high = 44, margin = 40;
  const height = Math.max(...columns.map((c) => c.length), 1) * (high + gapY) + 2 * margin;
  let x = margin;
  for (const c of columns) {
    const wide = Math.min(Math.max(...c.map((i) => boxes[i].name.length), c.some((i) => boxes[i].outside) ? 16 : 8) * 7.4 + 28, 270);
    const step = Math.min((height - 2 * margin) / c.length, (high + gapY) * 1.8), top = (height - step * c.length) / 2;
    c.forEach((id, i) => Object.assign(boxes[id], { x, y: top + step * i + (step - high) / 2, w: wide, h: high }));
    x += wide + gapX;
  }
  return { width: x - gapX + margin + 30, height };
}

// tangled reports that columns would be a tangle: few boxes with many arrows, or arrows
// that lead back.
function tangled(boxes, edges) {
  const n = boxes.length;
  if (n < 3 || n > 18) return false;
  if (edges.length > 1.6 * n) return true;
  const rank = ranks(boxes, edges);
  return edges.filter((e) => rank[e.to] <= rank[e.from] && e.from !== e.to).length > n / 4;
}

// circle puts boxes on an ellipse, so that no arrow crosses a box: what is outside to the
// left, then the order that makes arrows short.
function circle(boxes, edges) {
  const n = boxes.length, order = boxes.map((_, i) => i).sort((a, b) => Boolean(boxes[b].outside) - Boolean(boxes[a].outside) || a - b);
  const cost = (list) => {
    const at = new Map(list.map((id, i) => [id, i]));
    return edges.reduce((sum, e) => sum + Math.abs(Math.sin(Math.PI * (at.get(e.from) - at.get(e.to)) / n)), 0);
  };
  const first = boxes.filter((b) => b.outside).length;
  let best = cost(order);
  for (let sweep = 0, better = true; better && sweep < 4; sweep++) {
    better = false;
    for (let i = Math.max(first, 1); i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        [order[i], order[j]] = [order[j], order[i]];
        const now = cost(order);
        if (now < best - 1e-9) [best, better] = [now, true];
        else [order[i], order[j]] = [order[j], order[i]];
      }
    }
  }
  const rx = Math.max(300, n * 44), ry = Math.max(170, n * 27), margin = 40, wide = boxes.map((b) => Math.min(Math.max(b.name.length, 16) * 7.4 + 28, 260));
  const most = Math.max(...wide), turn = first > 1 ? (first - 1) / 2 : 0;
  order.forEach((id, i) => {
    const angle = Math.PI + 2 * Math.PI * (i - turn) / n;
    Object.assign(boxes[id], { w: wide[id], h: 44, x: margin + most / 2 + rx + rx * Math.cos(angle) - wide[id] / 2, y: margin + 22 + ry - ry * Math.sin(angle) - 22 });
  });
  return { width: 2 * (rx + margin) + most, height: 2 * (ry + margin) + 44 };
}
