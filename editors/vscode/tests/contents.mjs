// A package in, nothing or an error out: it holds what the extension is, and nothing else.

import { execFileSync } from "node:child_process";

const expected = [
  "LICENSE",
  "README.md",
  "dist/extension.js",
  "icon.png",
  "language-configuration.json",
  "package.json",
  "syntaxes/netc.tmLanguage.json",
];
const listed = execFileSync("npx", ["vsce", "ls", "--no-dependencies"], { encoding: "utf-8" });
const found = listed.split("\n").filter((line) => line && !line.startsWith(">")).sort();
if (JSON.stringify(found) !== JSON.stringify(expected)) {
  console.error(`the package holds ${found.join(", ")}, not ${expected.join(", ")}`);
  process.exit(1);
}
