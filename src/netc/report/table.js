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
