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
  // The boxes of a line's layers, at the foot of the program: the diagram is seldom in view.
  const MOST_PEEKS = 8;
  const peek = (indices) => {
    hover(indices);
    const boxes = [...new Set(indices.map((i) => homes[i]))].filter(Boolean);
    $("peek").classList.toggle("empty", !boxes.length);
    $("peek").replaceChildren(...boxes.slice(0, MOST_PEEKS).map((box) => {
      const b = box.getBBox(), k = 7 / Number(box.querySelector("text")?.getAttribute("font-size") || 7) * 1.5;
      const found = svg("svg", { viewBox: `${b.x - 2} ${b.y - 2} ${b.width + 4} ${b.height + 4}`, width: (b.width + 4) * k, height: (b.height + 4) * k, class: "picture", role: "img", "aria-label": indices.filter((i) => homes[i] === box).map((i) => `${rows[i].kind} ${rows[i].name}`).join(", "), "font-family": drawing.getAttribute("font-family") });
      const copy = box.cloneNode(true);
      copy.removeAttribute("transform");
      copy.removeAttribute("class");
      found.append(copy);
      return found;
    }), boxes.length > MOST_PEEKS ? make("span", `and ${boxes.length - MOST_PEEKS} more`) : "");
  };
  const of = (each) => (each?.dataset.layers || "").split(" ").filter(Boolean).map(Number);
  code.addEventListener("pointerover", (event) => peek(of(event.target.closest("[data-layers]"))));
  code.addEventListener("pointerleave", () => peek([]));
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
      peek(of(lines[cursor]));
    } else if (event.key === "Enter" && of(lines[cursor]).length) choose(of(lines[cursor])[0], { focus: true });
    else return;
    event.preventDefault();
  });
}
