// Starts `netc lsp`, and shows the diagram of the program beside its text.

import * as vscode from "vscode";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";
import { Diagram } from "./diagram";

let client: LanguageClient | undefined;
let files: vscode.FileSystemWatcher; // which others import

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  files = vscode.workspace.createFileSystemWatcher("**/*.net");
  await start();
  const diagram = new Diagram(() => client);
  context.subscriptions.push(
    files,
    diagram,
    vscode.commands.registerCommand("netc.showDiagram", () => diagram.show()),
    vscode.commands.registerCommand("netc.restart", start),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("netc.command")) void start();
    }),
  );
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

async function start(): Promise<void> {
  await client?.stop();
  const command = vscode.workspace.getConfiguration("netc").get<string>("command", "netc");
  const run = { command, args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("netc", "netc", run, {
    documentSelector: [{ language: "netc" }],
    synchronize: { fileEvents: files },
  });
  try {
    await client.start();
  } catch {
    client = undefined;
    const help = "Install it with `pip install 'netc[editor]'`, or set `netc.command`.";
    void vscode.window.showErrorMessage(`\`${command} lsp\` does not start. ${help}`);
  }
}
