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
  shut.clear();
  $("open").hidden = true;
  $("level").value = index;
  drawing = parsed(data.levels[index].svg);
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

// The box of each layer: its own, one that folds it, its twin in a turn nearby, or the one before it.
const outer = (name) => name.slice(0, Math.max(name.lastIndexOf("."), 0));
const masked = (name) => outer(name).replace(/\d+/g, "#") + name.slice(outer(name).length);
const turned = (name) => outer(name) + name.slice(outer(name).length).replace(/\d+/g, "#");
const starts = new Map(); // of each scope and layer, the first row
rows.forEach((row, i) => {
  for (let end = row.name.length; end > 0; end = row.name.lastIndexOf(".", end - 1)) {
    const scope = row.name.slice(0, end);
    if (!starts.has(scope)) starts.set(scope, i);
  }
});
function nearest(name, twins = []) {
  const shared = (other) => { let n = 0; while (n < name.length && other[n] === name[n]) n++; return n; };
  let best, most = -1;
  for (const [other, box] of twins) if (starts.get(other) < starts.get(name) && shared(other) >= most) { most = shared(other); best = box; }
  return best;
}
function placed() {
  const exact = new Map(), alike = new Map(), found = [];
  const note = (mask, name, box) => alike.set(mask, [...(alike.get(mask) || []), [name, box]].slice(-MOST_TWINS));
  for (const box of drawing.querySelectorAll(".box")) {
    const name = scopeOf(box);
    exact.set(name, box);
    for (const mask of new Set([masked(name), turned(name)])) note(mask, name, box);
  }
  const twin = (name) => nearest(name, alike.get(masked(name)));
  rows.forEach(({ name }, i) => {
    let box = exact.get(name) || twin(name);
    for (let scope = outer(name); !box && scope; scope = outer(scope)) box = exact.get(scope) || twin(scope);
    found[i] = box || nearest(name, alike.get(turned(name))) || found[i - 1];
  });
  return found;
}
const MOST_TWINS = 500; // that are compared
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
// The place in the picture that is at a place on the screen.
function spot(x, y) {
  const size = stage.getBoundingClientRect(), s = scale();
  return [view.x + view.w / 2 + (x - size.left - size.width / 2) * s, view.y + view.h / 2 + (y - size.top - size.height / 2) * s];
}
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), ...spot(event.clientX, event.clientY));
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
  if (other) zoom(gap(event, other) / (gap(before, other) || 1), ...spot((event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2));
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
  if (part.classList.contains("frame")) return fold(part);
  if (part.dataset.shut !== undefined) return unfold(part);
  const inside = layersOf(part);
  if (!inside.length) return;
  const own = inside.find((i) => rows[i].name === part.dataset.name);
  if (own === undefined && part.dataset.name) unfold(part);
  else choose(own ?? inside[0]);
});
stage.addEventListener("pointerover", (event) => {
  const box = event.target.closest(".box");
  if (box) hover(layersOf(box));
});
stage.addEventListener("pointerleave", () => hover([]));

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
