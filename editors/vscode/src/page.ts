// The page of the panel: it puts the picture in place, and marks what the cursor is in.

export function page(source: string): string {
  const nonce = Math.random().toString(36).slice(2);
  const policy = `default-src 'none'; style-src ${source} 'unsafe-inline'; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Diagram</title>
<style>
  body { margin: 0; padding: 1em; background: #fff; color: #24292f; text-align: center; }
  body.vscode-dark, body.vscode-high-contrast { background: #16191f; color: #e4e7eb; }
  svg { max-width: 100%; height: auto; }
  .active rect { stroke: #d9480f; stroke-width: 2; }
</style>
</head>
<body>
<main aria-live="polite">The diagram appears once the program has no errors.</main>
<script nonce="${nonce}">
  const main = document.querySelector("main");
  window.addEventListener("message", ({ data }) => {
    if (main.dataset.svg !== data.svg) {
      main.dataset.svg = data.svg;
      main.innerHTML = data.svg;
      const svg = main.firstElementChild; // whose sizes are points, and letters of 8 pixels are small
      svg.style.width = 1.5 * svg.viewBox.baseVal.width + "px";
    }
    const active = new Set(data.active);
    let first;
    for (const box of main.querySelectorAll("g.box")) {
      const holds = active.has(box.dataset.name);
      box.classList.toggle("active", holds);
      first ??= holds ? box : undefined;
    }
    first?.scrollIntoView({ block: "center", behavior: "smooth" });
  });
</script>
</body>
</html>`;
}
