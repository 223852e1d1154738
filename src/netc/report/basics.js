"use strict";
// The page of a report, of `data`. Text of users enters by textContent alone, never as markup.
const rows = data.table.rows;
const PARAMS = data.table.columns.findIndex((column) => column.title === "parameters");
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

// A picture that netc wrote.
function parsed(text) {
  return document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
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
