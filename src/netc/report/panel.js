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
function action(text, act) {
  const found = make("button", text, "action");
  found.type = "button";
  found.onclick = () => { act(); describe(rows[chosen]); $("panel").focus({ preventScroll: true }); };
  return found;
}
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
  for (const each of row.weights) {
    const known = each.counts.length ? `: mean ${short(each.mean)}, deviation ${short(each.deviation)}` : "";
    parts.push(make("h4", each.name + known + (each.broken ? `, ${each.broken.toLocaleString("en")} not finite` : "")));
    if (known) parts.push(histogram(each));
  }
  const own = homes[at.get(row.name)], folds = framesAround(at.get(row.name));
  if (own && own.dataset.name !== row.name && scopeOf(own) && row.name.startsWith(scopeOf(own) + ".")) parts.push(action(`Open ${scopeOf(own)}`, () => unfold(own)));
  for (const frame of folds) parts.push(action(`Fold ${frame.querySelector("title")?.textContent || "the repetition"}`, () => fold(frame)));
  const mates = layersOf(homes[at.get(row.name)]).map((i) => rows[i]).filter((each) => each !== row);
  if (mates.length) {
    const group = make("div");
    parts.push(make("h4", `In the same box (${mates.length})`, "mates"));
    for (const each of mates.slice(0, 24)) { const button = make("button", `${each.kind} ${each.name}`); button.type = "button"; button.onclick = () => choose(at.get(each.name)); group.append(button); }
    parts.push(group);
  }
  $("panel").replaceChildren(...parts);
  $("panel").scrollTop = 0;
}
