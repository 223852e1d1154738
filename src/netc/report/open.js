"use strict";
// Unpacks the page's data, then starts its script, which the page's policy knows by its hash.
let data;
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
unpacked(document.getElementById("data").textContent).then((found) => {
  data = found;
  const script = document.createElement("script");
  script.textContent = document.getElementById("script").textContent;
  document.body.append(script);
}).catch((problem) => {
  document.getElementById("totals").textContent = `This browser cannot show the page: ${problem.message}`;
});
