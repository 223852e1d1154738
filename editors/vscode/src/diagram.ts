// A panel with the diagram of the program, which follows the text and the cursor.

import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { page } from "./page";

const PAUSE = 200; // milliseconds without a change after which the diagram is drawn

interface Picture {
  svg: string;
  active: string[];
}

export class Diagram implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;
  private due: NodeJS.Timeout | undefined;
  private readonly listeners: vscode.Disposable[];

  constructor(private readonly client: () => LanguageClient | undefined) {
    this.listeners = [
      vscode.window.onDidChangeTextEditorSelection(() => this.drawSoon()),
      vscode.window.onDidChangeActiveTextEditor(() => this.drawSoon()),
      vscode.workspace.onDidChangeTextDocument(() => this.drawSoon()),
      vscode.window.onDidChangeActiveColorTheme(() => this.drawSoon()),
    ];
  }

  show(): void {
    if (this.panel === undefined) {
      const beside = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
      const options = { enableScripts: true, retainContextWhenHidden: true };
      this.panel = vscode.window.createWebviewPanel("netc.diagram", "Diagram", beside, options);
      this.panel.webview.html = page(this.panel.webview.cspSource);
      this.panel.onDidDispose(() => (this.panel = undefined));
    }
    this.panel.reveal(undefined, true);
    this.drawSoon();
  }

  dispose(): void {
    clearTimeout(this.due);
    this.panel?.dispose();
    for (const listener of this.listeners) listener.dispose();
  }

  private drawSoon(): void {
    clearTimeout(this.due);
    this.due = setTimeout(() => void this.draw(), PAUSE);
  }

  private async draw(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const client = this.client();
    if (!this.panel || !client || editor?.document.languageId !== "netc") return;
    const picture = await client.sendRequest<Picture | null>("netc/picture", {
      textDocument: { uri: editor.document.uri.toString() },
      position: { line: editor.selection.active.line, character: editor.selection.active.character },
      theme: isDark(vscode.window.activeColorTheme.kind) ? "dark" : "light",
    });
    // A program with errors has no picture: the last one stays.
    if (picture !== null) await this.panel?.webview.postMessage(picture);
  }
}

function isDark(kind: vscode.ColorThemeKind): boolean {
  return kind === vscode.ColorThemeKind.Dark || kind === vscode.ColorThemeKind.HighContrast;
}
