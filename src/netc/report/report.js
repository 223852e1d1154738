"use strict";
// The page of a report. Text of users enters by textContent alone, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const rows = data.table.rows;
const at = new Map(rows.map((row, i) => [row.name, i]));
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function make(tag, text, kind) {
  const found = document.createElement(tag);
  if (text !== undefined) found.textContent = text;
  if (kind) found.className = kind;
  return found;
}
function svg(tag, attributes, text) {
  const found = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  if (text !== undefined) found.textContent = text;
  return found;
}

// ---- theme, title, totals, sections
function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", dark);
}
const wish = matchMedia("(prefers-color-scheme: dark)");
theme(wish.matches);
wish.addEventListener("change", () => theme(wish.matches));
// Paper is light, and shows all of the diagram.
let dimmed = false;
addEventListener("beforeprint", () => { dimmed = document.documentElement.dataset.theme === "dark"; theme(false); fit(); });
addEventListener("afterprint", () => theme(dimmed));
$("theme").onclick = () => theme(document.documentElement.dataset.theme !== "dark");
document.title = data.name + " \u2013 netc report";
$("name").textContent = data.name;
for (const [name, text] of data.totals) {
  const card = make("div", text);
  card.prepend(make("small", name));
  $("totals").append(card);
}
$("memory").hidden = !data.memory.length;
$("run").hidden = !data.run;
$("program").hidden = !data.program;
for (const part of document.querySelectorAll("main > section[aria-labelledby]:not([hidden])")) {
  const link = make("a", part.querySelector("h2").textContent.replace(" over the forward pass", ""));
  link.href = "#" + part.id;
  $("sections").append(link);
}

// ---- the diagram: levels, pan and zoom
const stage = $("diagram");
let level = data.levels.findIndex((each) => each.first);
let view, whole, drawing, homes, chosen = -1, near = [], hits = [];
data.levels.forEach((each, i) => {
  const option = make("option", each.name);
  option.value = i;
  $("level").append(option);
});

function show(index) {
  level = index;
  $("level").value = index;
  const parsed = new DOMParser().parseFromString(data.levels[index].svg, "image/svg+xml");
  drawing = document.importNode(parsed.documentElement, true);
  drawing.querySelector("title")?.remove();
  drawing.removeAttribute("role");
  drawing.setAttribute("aria-hidden", "true");
  stage.replaceChildren(drawing);
  const [, , w, h] = drawing.getAttribute("viewBox").split(" ").map(Number);
  whole = { w, h };
  homes = placed();
  fit();
  mark();
}

// The box of each layer: its own, one that folds it, its twin in another turn, or the one before it.
const masked = (name) => name.replace(/\d+/g, "#");
function placed() {
  const exact = new Map(), alike = new Map(), found = [];
  for (const box of drawing.querySelectorAll(".box")) {
    const name = (box.dataset.name || "").replace(/ \u2026.*$/, "");
    exact.set(name, box);
    if (!alike.has(masked(name))) alike.set(masked(name), box);
  }
  rows.forEach((row, i) => {
    let box = exact.get(row.name);
    for (let end = row.name.lastIndexOf("."); !box && end > 0; end = row.name.lastIndexOf(".", end - 1)) {
      const scope = row.name.slice(0, end);
      box = exact.get(scope) || alike.get(masked(scope));
    }
    found[i] = box || alike.get(masked(row.name)) || found[i - 1];
  });
  return found;
}
const layersOf = (box) => rows.map((_, i) => i).filter((i) => homes[i] === box);

function look() { drawing.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`); }
function fit() { view = { x: 0, y: 0, w: whole.w, h: whole.h }; look(); }
function scale() {
  const size = stage.getBoundingClientRect();
  return Math.max(view.w / size.width, view.h / size.height);
}
function zoom(factor, x = view.x + view.w / 2, y = view.y + view.h / 2) {
  const k = Math.min(Math.max(factor, view.w / whole.w / 1.5 > 1 ? 1 : 0.05), 20);
  if (view.w / k > whole.w * 2 || view.w / k < 20) return;
  view = { x: x - (x - view.x) / k, y: y - (y - view.y) / k, w: view.w / k, h: view.h / k };
  look();
}
function center(box) {
  if (!box) return;
  const b = box.getBBox(), size = stage.getBoundingClientRect();
  const w = Math.min(view.w, Math.max(size.width / 1.6, b.width * 1.5));
  const h = (w * size.height) / size.width;
  view = { x: b.x + b.width / 2 - w / 2, y: b.y + b.height / 2 - h / 2, w, h };
  look();
}
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  const size = stage.getBoundingClientRect(), s = scale();
  const x = view.x + view.w / 2 + (event.clientX - size.left - size.width / 2) * s;
  const y = view.y + view.h / 2 + (event.clientY - size.top - size.height / 2) * s;
  zoom(Math.exp(-event.deltaY / 400), x, y);
}, { passive: false });
const fingers = new Map();
let moved = 0;
stage.addEventListener("pointerdown", (event) => { fingers.set(event.pointerId, event); moved = 0; });
addEventListener("pointerup", (event) => fingers.delete(event.pointerId));
addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
stage.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const gap = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  const other = [...fingers.values()].find((each) => each.pointerId !== event.pointerId);
  if (other) zoom(gap(event, other) / (gap(before, other) || 1));
  else {
    const s = scale();
    view.x -= (event.clientX - before.clientX) * s;
    view.y -= (event.clientY - before.clientY) * s;
    look();
  }
  moved += gap(event, before);
  fingers.set(event.pointerId, event);
});
$("in").onclick = () => zoom(1.4);
$("out").onclick = () => zoom(1 / 1.4);
$("fit").onclick = fit;
$("level").onchange = () => { show(Number($("level").value)); };
stage.addEventListener("click", (event) => {
  if (moved > 6) return;
  const part = event.target.closest(".box, .frame");
  if (!part) return;
  if (part.classList.contains("frame")) return fold(part.dataset.name || "");
  const inside = layersOf(part);
  if (!inside.length) return;
  const own = inside.find((i) => rows[i].name === part.dataset.name);
  if (own === undefined && part.dataset.name) unfold(part.dataset.name, inside[0]);
  else choose(own ?? inside[0]);
});
stage.addEventListener("pointerover", (event) => {
  const box = event.target.closest(".box");
  if (box) hover(layersOf(box));
});
stage.addEventListener("pointerleave", () => hover([]));

// A frame is folded by the level at which it is one box, and opened by the next one.
function fold(scope) {
  const depth = scope.split(".").length;
  const index = data.levels.findIndex((each) => each.depth === depth && each.name !== "every layer");
  if (index < 0) return;
  show(index);
  center(homes[rows.findIndex((row) => row.name.startsWith(scope + "."))]);
}
function unfold(scope, layer) {
  const depth = scope.replace(/ \u2026.*$/, "").split(".").length;
  const index = data.levels.findIndex((each) => each.depth > depth);
  if (index < 0 || index === level) return choose(layer);
  show(index);
  choose(layer);
}

const LEGIBLE = 45; // pixels of a box that is chosen; a smaller one is zoomed to

// ---- what is hovered, found and chosen, everywhere on the page
let lines = [];
function flag(kind, indices) {
  for (const each of document.querySelectorAll("." + kind)) each.classList.remove(kind);
  for (const i of indices) {
    homes[i]?.classList.add(kind);
    body.rows[order.indexOf(i)]?.classList.add(kind);
    const span = rows[i].lines;
    if (span && kind !== "hit") for (let n = span[0]; n <= span[1]; n++) lines[n - 1]?.classList.add(kind);
  }
}
function mark() {
  flag("near", near); flag("hit", hits); flag("chosen", chosen < 0 ? [] : [chosen]);
  stage.classList.toggle("searching", hits.length > 0);
}
function hover(indices) { near = indices; flag("near", near); }
function choose(index, { focus = false } = {}) {
  chosen = index;
  flag("chosen", [index]);
  describe(rows[index]);
  const box = homes[index]?.getBoundingClientRect(), size = stage.getBoundingClientRect();
  if (box && (box.left < size.left || box.right > size.right || box.top < size.top || box.bottom > size.bottom || box.width < LEGIBLE))
    center(homes[index]);
  if (focus) $("panel").focus();
}
function unchoose() { chosen = -1; flag("chosen", []); welcome(); }

stage.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (event.shiftKey && step) {
    view[event.key.endsWith("t") ? "x" : "y"] += step * view.w / 8; look();
  } else if (step) {
    choose(Math.min(Math.max(chosen + step, 0), rows.length - 1)); center(homes[chosen]);
  } else if (event.key === "+" || event.key === "=") zoom(1.4);
  else if (event.key === "-") zoom(1 / 1.4);
  else if (event.key === "0") fit();
  else if (event.key === "Enter" && chosen >= 0) $("panel").focus();
  else return;
  event.preventDefault();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if ($("panel").contains(document.activeElement)) stage.focus({ preventScroll: true });
    $("search").value = ""; search(); unchoose();
  } else if (event.key === "/" && !/INPUT|SELECT/.test(document.activeElement.tagName)) {
    event.preventDefault(); $("search").focus();
  }
});

// ---- search
const MOST = 60; // that are listed
function search() {
  const word = $("search").value.trim().toLowerCase();
  hits = [];
  if (word) rows.forEach((row, i) => { if (`${row.name} ${row.kind}`.toLowerCase().includes(word)) hits.push(i); });
  $("found").textContent = word ? `${hits.length} ${hits.length === 1 ? "layer" : "layers"}` : "";
  $("matches").replaceChildren(...hits.slice(0, MOST).map((i) => {
    const button = make("button", `${rows[i].kind} ${rows[i].name}`);
    button.type = "button";
    button.onclick = () => { choose(i); center(homes[i]); };
    return button;
  }));
  mark();
}
$("search").oninput = search;
$("search").onkeydown = (event) => {
  if (event.key === "Enter" && hits.length) { choose(hits[0], { focus: true }); center(homes[hits[0]]); }
};

// ---- charts
const short = (n) => n && Math.abs(n) < 1e-3 ? n.toExponential(1) : Math.abs(n) >= 1e9 ? (n / 1e9).toFixed(1) + "G" : Math.abs(n) >= 1e6 ? (n / 1e6).toFixed(1) + "M" : Math.abs(n) >= 1e3 ? (n / 1e3).toFixed(1) + "k" : String(Number(n.toPrecision(3)));
const bytes = (n) => { let unit = "B"; for (const next of ["KiB", "MiB", "GiB"]) { if (n < 1024) break; n /= 1024; unit = next; } return `${Number(n.toPrecision(3))} ${unit}`; };
function chart(label, width = 480, height = 180) {
  const found = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": label });
  return found;
}
// Lines over numbered places; `null` leaves a gap.
function curves(label, xs, series, written = short, filled = false) {
  const W = 480, H = 190, L = 64, R = 10, T = 18, B = 24, found = chart(label, W, H);
  const all = series.flatMap((each) => each.values.filter((v) => v !== null));
  let low = filled ? 0 : Math.min(...all), high = Math.max(...all);
  if (low === high) high = low + (Math.abs(low) || 1);
  const first = xs[0], last = xs[xs.length - 1];
  const x = (v) => L + (last === first ? 0.5 : (v - first) / (last - first)) * (W - L - R);
  const y = (v) => T + (1 - (v - low) / (high - low)) * (H - T - B);
  for (const part of [0, 0.5, 1]) {
    const v = low + part * (high - low);
    found.append(svg("line", { x1: L, x2: W - R, y1: y(v), y2: y(v), class: "axis" }), svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, written(v)));
  }
  found.append(svg("text", { x: L, y: H - 6 }, first), svg("text", { x: W - R, y: H - 6, "text-anchor": "end" }, last));
  series.forEach((each, n) => {
    let path = "", open = false;
    each.values.forEach((v, i) => { if (v === null) open = false; else { path += `${open ? "L" : "M"}${x(xs[i]).toFixed(1)} ${y(v).toFixed(1)}`; open = true; } });
    if (filled) found.append(svg("path", { d: `${path}L${x(last)} ${y(low)}L${x(first)} ${y(low)}Z`, class: "fill" }));
    found.append(svg("path", { d: path, class: n ? "curve second" : "curve" }));
    if (xs.length === 1) found.append(svg("circle", { cx: x(first), cy: y(each.values[0] ?? low), r: 4, class: n ? "two" : "one" }));
    if (each.name) found.append(svg("rect", { x: L + n * 150, y: 2, width: 10, height: 10, class: n ? "two" : "one" }), svg("text", { x: L + n * 150 + 15, y: 11 }, each.name));
  });
  return found;
}
function histogram(each) {
  const W = 300, H = 90, found = chart(`Histogram of ${each.name}`, W, H), most = Math.max(...each.counts);
  each.counts.forEach((n, i) => { const h = (n / most) * (H - 24), w = W / each.counts.length; found.append(svg("rect", { x: i * w, y: H - 18 - h, width: w - 0.8, height: h, class: "bars" })); });
  found.append(svg("text", { x: 0, y: H - 4 }, short(each.ends[0])), svg("text", { x: W, y: H - 4, "text-anchor": "end" }, short(each.ends[1])));
  return found;
}
function receptive(seen) {
  const [H, W] = seen.size, [top, left, bottom, right] = seen.box;
  const x0 = Math.min(0, left), y0 = Math.min(0, top), w = Math.max(W, right) - x0, h = Math.max(H, bottom) - y0, k = 200 / Math.max(w, h);
  const found = chart(`Receptive field of ${seen.field.join("x")} over an input of ${H}x${W}`, w * k + 2, h * k + 2);
  found.append(svg("rect", { x: -x0 * k + 1, y: -y0 * k + 1, width: W * k, height: H * k, class: "area" }), svg("rect", { x: (left - x0) * k + 1, y: (top - y0) * k + 1, width: (right - left) * k, height: (bottom - top) * k, class: "seen" }));
  found.style.maxWidth = "210px";
  return found;
}

// ---- the panel
function welcome() { $("panel").replaceChildren(make("p", "Choose a layer in the diagram, the table or the program.", "words")); }
function describe(row) {
  const parts = [make("h3", `${row.kind} ${row.name}`)], list = make("dl");
  data.table.columns.forEach((column, i) => { if (i > 1 && row.cells[i] !== "-") list.append(make("dt", column.title), make("dd", row.cells[i])); });
  parts.push(list);
  if (row.arguments.length) {
    const given = make("dl");
    for (const [name, value, usual] of row.arguments) given.append(make("dt", name), make("dd", value + (usual ? " (default)" : "")));
    parts.push(make("h4", "Arguments"), given);
  }
  if (row.formulas.length) parts.push(make("h4", "Formulas"));
  for (const [name, words, numbers] of row.formulas) {
    const found = make("div", undefined, "formula");
    found.append(make("b", name), make("div", words ? `= ${words}` : "", "words"), make("div", numbers.includes("=") ? numbers : `= ${numbers}`));
    parts.push(found);
  }
  if (row.seen) parts.push(make("h4", `Sees ${row.seen.field.join("x")} of ${row.seen.size.join("x")}`), receptive(row.seen));
  for (const each of row.weights) parts.push(make("h4", `${each.name}: mean ${short(each.mean)}, deviation ${short(each.deviation)}` + (each.broken ? `, ${each.broken} not finite` : "")), histogram(each));
  const mates = layersOf(homes[at.get(row.name)]).map((i) => rows[i]).filter((each) => each !== row);
  if (mates.length) {
    parts.push(make("h4", `In the same box (${mates.length})`));
    const group = make("div");
    for (const each of mates.slice(0, 24)) { const button = make("button", `${each.kind} ${each.name}`); button.type = "button"; button.onclick = () => choose(at.get(each.name)); group.append(button); }
    parts.push(group);
  }
  $("panel").replaceChildren(...parts);
  $("panel").scrollTop = 0;
}

// ---- the table
const table = $("table"), head = make("thead"), body = make("tbody"), titles = make("tr");
let order = rows.map((_, i) => i), sorted = -1, up = true, filling = 0;
table.append(head, body);
head.append(titles);
data.table.columns.forEach((column, i) => {
  const cell = make("th", undefined, column.number ? "n" : ""), button = make("button", column.title);
  button.type = "button";
  cell.scope = "col";
  button.onclick = () => sort(i);
  cell.append(button);
  titles.append(cell);
});
function line(i) {
  const row = make("tr");
  row.dataset.layer = i;
  rows[i].cells.forEach((text, k) => {
    const cell = make("td", undefined, data.table.columns[k].number ? "n" : ""), inner = make("bdi", text);
    if (k === 0) inner.title = text;
    cell.append(inner);
    row.append(cell);
  });
  return row;
}
function fill() {
  const turn = ++filling;
  body.replaceChildren();
  const more = (start) => {
    if (turn !== filling) return;
    body.append(...order.slice(start, start + 400).map(line));
    if (start + 400 < order.length) setTimeout(more, 0, start + 400); else mark();
  };
  more(0);
}
function sort(column) {
  up = sorted === column ? !up : true;
  sorted = column;
  const key = (i) => rows[i].keys[column], sign = up ? 1 : -1;
  order.sort((a, b) => sign * (typeof key(a) === "number" && typeof key(b) === "number" ? key(a) - key(b) : String(key(a)).localeCompare(String(key(b)))) || a - b);
  [...titles.cells].forEach((cell, i) => i === column ? cell.setAttribute("aria-sort", up ? "ascending" : "descending") : cell.removeAttribute("aria-sort"));
  fill();
}
const rowOf = (event) => event.target.closest("tr[data-layer]");
body.addEventListener("click", (event) => { const row = rowOf(event); if (row) choose(Number(row.dataset.layer)); });
body.addEventListener("pointerover", (event) => { const row = rowOf(event); if (row) hover([Number(row.dataset.layer)]); });
body.addEventListener("pointerleave", () => hover([]));

// ---- the program
const code = $("code");
let cursor = -1;
if (data.program) {
  const by = new Map();
  rows.forEach((row, i) => { if (row.lines) for (let n = row.lines[0]; n <= row.lines[1]; n++) by.set(n, [...(by.get(n) || []), i]); });
  lines = data.program.map((pieces, n) => {
    const found = make("div");
    found.setAttribute("role", "option");
    found.setAttribute("aria-selected", "false");
    found.id = `line-${n + 1}`;
    found.append(make("span", n + 1, "number-of"), ...pieces.map(([kind, text]) => make("span", text, kind)));
    if (by.has(n + 1)) found.dataset.layers = by.get(n + 1).join(" ");
    return found;
  });
  code.append(...lines);
  const of = (each) => (each?.dataset.layers || "").split(" ").filter(Boolean).map(Number);
  code.addEventListener("pointerover", (event) => hover(of(event.target.closest("[data-layers]"))));
  code.addEventListener("pointerleave", () => hover([]));
  code.addEventListener("click", (event) => { const found = of(event.target.closest("[data-layers]")); if (found.length) choose(found[0]); });
  code.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      lines[cursor]?.classList.remove("at");
      lines[cursor]?.setAttribute("aria-selected", "false");
      cursor = Math.min(Math.max(cursor + step, 0), lines.length - 1);
      lines[cursor].classList.add("at");
      lines[cursor].setAttribute("aria-selected", "true");
      lines[cursor].scrollIntoView({ block: "nearest" });
      code.setAttribute("aria-activedescendant", lines[cursor].id);
      hover(of(lines[cursor]));
    } else if (event.key === "Enter" && of(lines[cursor]).length) choose(of(lines[cursor])[0], { focus: true });
    else return;
    event.preventDefault();
  });
}

// ---- memory and the run
if (data.memory.length) {
  const top = data.memory.reduce((a, b) => (b[1] > a[1] ? b : a));
  $("memory").append(make("p", `The peak is ${bytes(top[1])}, in ${top[0]}.`, "words"), curves("Bytes of live activations by layer", data.memory.map((_, i) => i + 1), [{ values: data.memory.map((each) => each[1]) }], bytes, true));
}
if (data.run) {
  const part = $("run"), run = data.run, charts = make("div", undefined, "charts");
  for (const panel of run.history?.panels || []) if (panel.lines.length) {
    const figure = make("figure");
    figure.append(make("figcaption", panel.title + (panel.title === "loss" && run.history.best ? `, best epoch ${run.history.best}` : "")), curves(`${panel.title} by epoch`, run.history.epochs, panel.lines));
    charts.append(figure);
  }
  part.append(charts);
  if (run.metrics) {
    const list = make("dl", undefined, "measures");
    for (const [name, value] of run.metrics) {
      const pair = make("div");
      pair.append(make("dt", name), make("dd", value === null ? "not defined" : short(value)));
      list.append(pair);
    }
    part.append(make("p", run.measured, "words"), list);
  }
  for (const each of run.confusions) {
    const figure = make("figure"), box = make("div", undefined, "scroll"), grid = make("table", undefined, "matrix"), top = make("tr");
    top.append(make("td"), ...each.names.map((name) => { const cell = make("th", name); cell.scope = "col"; return cell; }));
    grid.append(top);
    each.counts.forEach((counts, i) => {
      const row = make("tr"), name = make("th", each.names[i]), sum = counts.reduce((a, b) => a + b, 0) || 1;
      name.scope = "row";
      row.append(name, ...counts.map((n, j) => { const cell = make("td", n || "\u00b7", n / sum > 0.05 ? "hot" : ""); cell.title = `${each.names[i]} answered as ${each.names[j]}: ${n}`; return cell; }));
      grid.append(row);
    });
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Confusion matrix");
    box.append(grid);
    figure.append(make("figcaption", `Confusion of ${each.output}: a row for what is right, a column for what was answered`), box);
    part.append(figure);
  }
  for (const each of run.pictures) {
    const figure = make("figure"), image = make("img");
    image.src = each.uri;
    image.alt = each.title;
    figure.append(make("figcaption", each.title), image);
    part.append(figure);
  }
  for (const note of run.notes) part.append(make("p", note, "words"));
}

welcome();
show(level);
requestAnimationFrame(() => setTimeout(fill, 0));
