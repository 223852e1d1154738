// ---- folding: a frame that is shut is a box, and what follows it moves up
// A drawing's columns are led from one to the next by lines that rise above everything.
const GAP = 14, LABEL = 13, BEND = 5.1, CHIP = 30; // points, in a drawing that is not scaled
const shut = new Set();

const keyOf = (frame) => frame.dataset.name || `frame ${[...drawing.querySelectorAll(".frame")].indexOf(frame)}`;
const numbers = (text) => (text.match(/-?\d+(?:\.\d+)?/g) || []).map(Number);
const pairs = (found) => found.flatMap((x, i) => (i % 2 ? [] : [{ x, y: found[i + 1] }]));
const within = (p, f) => p.x > f.x0 - 0.05 && p.x < f.x1 + 0.05 && p.y > f.y0 - 0.05 && p.y < f.y1 + 0.05;
const middle = (b) => ({ x: (b.x0 + b.x1) / 2, y: (b.y0 + b.y1) / 2 });

function extent(shapes) {
  const of = (shape, name) => Number(shape.getAttribute(name));
  const found = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (const shape of shapes) {
    const round = shape.tagName === "ellipse", w = of(shape, round ? "rx" : "width"), h = of(shape, round ? "ry" : "height");
    const x = of(shape, round ? "cx" : "x") - (round ? w : 0), y = of(shape, round ? "cy" : "y") - (round ? h : 0);
    found.x0 = Math.min(found.x0, x); found.x1 = Math.max(found.x1, x + w * (round ? 2 : 1));
    found.y0 = Math.min(found.y0, y); found.y1 = Math.max(found.y1, y + h * (round ? 2 : 1));
  }
  return found;
}

// What a drawing shows, with the places that it was drawn at.
function measured() {
  const boxes = [...drawing.querySelectorAll(".box")].map((part) => ({ part, ...extent(part.querySelectorAll("rect, ellipse")) }));
  const frames = [...drawing.querySelectorAll(".frame")].map((part) => ({ part, key: keyOf(part), ...extent(part.querySelectorAll("rect")) }));
  const edges = [...drawing.querySelectorAll(".edge")].map((part) => {
    const path = part.querySelector("path"), head = part.querySelector("polygon");
    return { part, path, head, points: pairs(numbers(path.getAttribute("d"))), tips: head ? pairs(numbers(head.getAttribute("points"))) : [] };
  });
  const scale = Number(drawing.querySelector(".frame rect[rx]")?.getAttribute("rx") || 5) / 5;
  const top = Math.min(...boxes.map((b) => b.y0), ...frames.map((f) => f.y0));
  const lanes = edges.filter((e) => Math.min(...e.points.map((p) => p.y)) < top - 0.5).map((e) => {
    const y = Math.min(...e.points.map((p) => p.y));
    return Math.min(...e.points.filter((p) => p.y < y + 0.05).map((p) => p.x));
  });
  return { boxes, frames, edges, scale, lanes, homes: placed(), size: { ...whole } };
}

// The parts of an interval that none of the others covers.
function uncovered([low, high], others) {
  const found = [];
  for (const [a, b] of others.sort((p, q) => p[0] - q[0])) {
    if (b <= low || a >= high) continue;
    if (a > low) found.push([low, a]);
    low = Math.max(low, b);
  }
  if (high > low) found.push([low, high]);
  return found;
}

// Draws a level with all that is shut as boxes.
function refold() {
  const parts = drawing.parts || (drawing.parts = measured()), { scale } = parts, gap = GAP * scale;
  const column = (x) => parts.lanes.filter((lane) => lane < x - 0.05).length;
  const inner = (a, b) => a !== b && within(middle(a), b) && b.x1 - b.x0 >= a.x1 - a.x0 && b.y1 - b.y0 >= a.y1 - a.y0;
  const asked = parts.frames.filter((f) => shut.has(f.key));
  const folded = asked.filter((f) => !asked.some((other) => inner(f, other)));
  const around = (p) => folded.find((f) => within(p, f));
  const first = folded.filter((f, i) => folded.findIndex((other) => other.key === f.key) === i);
  const height = (f) => (first.includes(f) ? Math.min(CHIP * scale, f.y1 - f.y0) : 0);
  const gone = new Set([...parts.boxes.filter((b) => around(middle(b))), ...parts.frames.filter((f) => folded.some((other) => f === other || inner(f, other)))]);
  const through = (e) => folded.find((f) => e.points.some((p) => within(p, f)) && !e.points.every((p) => within(p, f)) && [e.points[0], e.points.at(-1)].some((p) => within(p, f) && p.y > f.y0 + 0.1 && p.y < f.y1 - 0.1));

  // What may not be squeezed: boxes, names of frames, and where lines turn.
  const firm = parts.lanes.concat(Infinity).map(() => []);
  for (const b of parts.boxes) if (!gone.has(b)) firm[column(b.x0)].push([b.y0, b.y1]);
  for (const f of parts.frames) if (!gone.has(f)) firm[column(f.x0)].push([f.y0, f.y0 + LABEL * scale], [f.y1 - gap / 2, f.y1]);
  for (const e of parts.edges) {
    const crossed = through(e);
    for (let i = 0; i + 3 < e.points.length; i += 3) {
      const piece = e.points.slice(i, i + 4), ys = piece.map((p) => p.y), xs = piece.map((p) => p.x);
      if (Math.max(...xs) - Math.min(...xs) < 0.1 || piece.every(around)) continue;
      if (crossed && ys.some((y) => y > crossed.y0 && y < crossed.y1)) continue;
      firm[column(xs[0])].push([Math.min(...ys) - 0.1, Math.max(...ys) + 0.1]);
    }
  }
  const cuts = firm.map(() => []);
  for (const f of folded) {
    const whole = [f.y0 + height(f), f.y1], free = uncovered(whole, firm[column(f.x0)]);
    for (const [a, b] of free) {
      const kept = free.length === 1 && a === whole[0] && b === whole[1] ? 0 : gap;
      if (b - a > kept) cuts[column(f.x0)].push([a + kept / 2, b - kept / 2]);
    }
  }
  const squeeze = cuts.map((each) => each.sort((p, q) => p[0] - q[0]).reduce((all, [a, b]) => {
    const last = all.at(-1);
    if (last && a < last[1]) { last[1] = Math.max(last[1], b); return all; }
    return [...all, [a, b]];
  }, []));
  const move = (x, y) => squeeze[column(x)].reduce((at, [a, b]) => at - Math.max(0, Math.min(y, b) - a), y);

  drawing.querySelectorAll(".chip").forEach((each) => each.remove());
  let bottom = 0;
  for (const b of parts.boxes) {
    b.part.classList.toggle("gone", gone.has(b));
    b.part.setAttribute("transform", `translate(0 ${move(b.x0, b.y0) - b.y0})`);
    if (!gone.has(b)) bottom = Math.max(bottom, move(b.x0, b.y0) + b.y1 - b.y0);
  }
  for (const f of parts.frames) {
    f.part.classList.toggle("gone", gone.has(f));
    const y = move(f.x0, f.y0), rect = f.part.querySelector("rect");
    rect.setAttribute("y", y); rect.setAttribute("height", Math.max(move(f.x0, f.y1) - y, 0));
    for (const word of f.part.querySelectorAll("text")) word.setAttribute("transform", `translate(0 ${y - f.y0})`);
    if (!gone.has(f)) bottom = Math.max(bottom, move(f.x0, f.y1));
  }
  for (const e of parts.edges) {
    const crossed = through(e), held = crossed && e.points.filter((p) => within(p, crossed)).map((p) => p.y);
    const place = (p) => {
      if (!crossed || p.y < crossed.y0 || p.y > crossed.y1) return move(p.x, p.y);
      const level = held.find((y) => Math.abs(y - p.y) < BEND * scale);
      return level === undefined ? move(p.x, p.y) : move(crossed.x0, crossed.y0) + height(crossed) / 2 + p.y - level;
    };
    e.part.classList.toggle("gone", e.points.every(around) && folded.some((f) => e.points.every((p) => within(p, f))));
    const [start, ...rest] = e.points.map((p) => `${p.x},${place(p).toFixed(2)}`);
    e.path.setAttribute("d", `M${start} C${rest.join(" ")}`);
    if (e.head) { const by = place(e.tips[0]) - e.tips[0].y; e.head.setAttribute("points", e.tips.map((p) => `${p.x},${(p.y + by).toFixed(2)}`).join(" ")); }
  }
  for (const f of folded) drawing.append(...chip(f, parts, { y: move(f.x0, f.y0), end: move(f.x0, f.y1), height: height(f) }));
  for (const f of first) bottom = Math.max(bottom, move(f.x0, f.y0) + height(f));
  whole = { w: parts.size.w, h: folded.length ? bottom + 24 : parts.size.h };
  const chips = new Map(parts.boxes.filter((b) => gone.has(b)).map((b) => [b.part, first.find((f) => f.key === around(middle(b))?.key)?.chip]));
  homes = parts.homes.map((box) => chips.get(box) || box);
  for (const f of first) count(f);
  $("open").hidden = !shut.size;
}

// The box that a frame folds to, and the line below it where other branches are longer.
function chip(frame, parts, { y, end, height }) {
  const { scale } = parts, found = [], s = (n) => n * scale;
  const line = parts.edges.find((e) => Math.abs(e.points[0].y - frame.y0) < 0.1 && within(e.points[0], frame));
  const x = line ? line.points[0].x : middle(frame).x;
  if (end - y > height + 0.1) found.push(svg("path", { d: `M${x},${y + height} L${x},${end}`, fill: "none", stroke: "#6b7280", "stroke-width": s(0.9), class: "chip" }));
  if (!height) return found;
  const box = svg("g", { class: "box chip" }), label = frame.part.querySelector("title")?.textContent || "";
  box.dataset.name = frame.part.dataset.name || label;
  box.dataset.shut = frame.key;
  const at = { x: middle(frame).x, "text-anchor": "middle", fill: "#1f2430" };
  box.append(
    svg("title", {}, `${label}: folded`),
    svg("rect", { x: frame.x0, y, width: frame.x1 - frame.x0, height, rx: s(3), fill: "#ffffff", stroke: "#8a93a3", "stroke-width": s(0.8) }),
    svg("text", { ...at, y: y + height / 2 - s(2), "font-size": s(8.5), "font-weight": "bold" }, [...frame.part.querySelectorAll("text")].map((each) => each.textContent).join(" ") || label || "repeated"),
    svg("text", { ...at, y: y + height / 2 + s(8), "font-size": s(7), fill: "#5a6272", class: "sum" }),
  );
  frame.chip = box;
  return [...found, box];
}

// What a folded frame holds, as far as there is room to say it.
function count(frame) {
  const inside = layersOf(frame.chip), params = inside.reduce((sum, i) => sum + (Number(rows[i].keys[PARAMS]) || 0), 0);
  const words = [`${inside.length} ${inside.length === 1 ? "layer" : "layers"}`, params && `${params.toLocaleString("en")} params`].filter(Boolean);
  const room = (frame.x1 - frame.x0) * 0.94;
  for (const text of frame.chip.querySelectorAll("text")) {
    if (text.classList.contains("sum")) text.textContent = words.join(" \u00b7 ");
    const length = text.getComputedTextLength();
    if (length > room && text.classList.contains("sum")) text.textContent = words[0];
    else if (length > room) { text.setAttribute("textLength", room); text.setAttribute("lengthAdjust", "spacingAndGlyphs"); }
  }
}

function fold(frame) {
  shut.add(keyOf(frame));
  refold(); fit(); mark();
  if (homes[chosen]) center(homes[chosen]);
}
$("open").onclick = () => { shut.clear(); refold(); fit(); mark(); };

// Opens a box that folds layers: here, or in the next level, where all else stays as it is.
function unfold(box) {
  if (box.dataset.shut !== undefined) {
    shut.delete(box.dataset.shut);
    refold(); fit(); mark();
    return;
  }
  const scope = scopeOf(box), inside = layersOf(box)[0];
  const visible = [...drawing.querySelectorAll(".box:not(.gone)")].map((each) => (each.dataset.shut === undefined ? scopeOf(each) : ""));
  const index = data.levels.findIndex((each) => each.depth > scope.split(".").length);
  if (index < 0 || index === level) return choose(inside);
  show(index);
  const frames = [...drawing.querySelectorAll(".frame[data-name]")].filter((each) => !visible.some((name) => name.startsWith(each.dataset.name + ".")));
  const here = frames.filter((each) => each.dataset.name === scope || each.dataset.name.startsWith(scope + "."));
  const outer = Math.min(...here.map((each) => each.dataset.name.split(".").length));
  for (const each of frames) if (!here.includes(each) || each.dataset.name.split(".").length > outer) shut.add(keyOf(each));
  if (shut.size) { refold(); fit(); mark(); }
  if (here.length) hover(rows.map((_, i) => i).filter((i) => rows[i].name.startsWith(scope + ".")));
}
const scopeOf = (box) => (box.dataset.name || "").replace(/ \u2026.*$/, "");

// The frames around a layer that are drawn, the innermost first.
function framesAround(index) {
  const box = homes[index]?.getBoundingClientRect();
  if (!box) return [];
  const x = box.left + box.width / 2, y = box.top + box.height / 2;
  return [...drawing.querySelectorAll(".frame:not(.gone)")].filter((each) => {
    const at = each.querySelector("rect").getBoundingClientRect();
    return x > at.left && x < at.right && y > at.top && y < at.bottom;
  }).reverse();
}
