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
    const figure = make("figure"), image = parsed(each.svg);
    image.setAttribute("role", "img");
    image.setAttribute("aria-label", each.title);
    figure.append(make("figcaption", each.title), image);
    part.append(figure);
  }
  for (const note of run.notes) part.append(make("p", note, "words"));
}

// ---- the start
welcome();
show(level);
performance.mark("shown");
requestAnimationFrame(() => setTimeout(fill, 0));
