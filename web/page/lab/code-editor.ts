/**
 * CodeMirror, set up for WGSL. It lives in a shadow root: there it adopts its style sheets, where a document's head would need
 * inline styles, which the page's policy refuses. Tab leaves the editor, as it leaves any other field.
 */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Text } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { wgsl } from './wgsl.js';

/** Something to be shown at a place in the text. */
export interface Mark {
  readonly severity: 'error' | 'warning' | 'info';
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface CodeEditorOptions {
  readonly text: string;
  /** What it is, for those who do not see it. */
  readonly label: string;
  /** Called after every change, by the user or by `setText`. */
  readonly onChange: (text: string) => void;
  /** Control or command with Enter. */
  readonly onRun: () => void;
}

export interface CodeEditor {
  /** Replaces the text, which can be undone. */
  setText(text: string): void;
  /** Shows marks in place of those before, and the first error's place. */
  mark(marks: readonly Mark[]): void;
  /** Puts the cursor there. */
  goTo(line: number, column: number): void;
  destroy(): void;
}

const colors = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--code-keyword)', fontWeight: '600' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--muted)' },
  { tag: tags.typeName, color: 'var(--code-type)' },
  { tag: [tags.number, tags.atom], color: 'var(--code-value)' },
  { tag: tags.meta, color: 'var(--code-attribute)' },
  { tag: tags.function(tags.variableName), color: 'var(--code-call)' },
]);

const DOT = { width: '0.6rem', height: '0.6rem', borderRadius: '50%', margin: '0.3rem auto 0' };

const theme = EditorView.theme({
  '&': { height: '100%', fontSize: '0.8125rem', color: 'var(--ink)', backgroundColor: 'var(--paper)' },
  '&.cm-focused': { outline: '2px solid var(--series-1)', outlineOffset: '1px' },
  '.cm-scroller': {
    fontFamily: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
    lineHeight: '1.5',
    overflow: 'auto',
  },
  '.cm-content': { caretColor: 'var(--ink)', padding: '0.5rem 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--series-1) 7%, transparent)' },
  '.cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--series-1) 14%, transparent)',
    color: 'var(--ink)',
  },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--series-1) 28%, transparent)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'transparent', outline: '1px solid var(--control)' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--ink)', border: '1px solid var(--control)' },
  // Its own marks are images in data: addresses, which the policy refuses.
  ...Object.fromEntries(
    Object.entries({
      error: 'var(--wrong)',
      warning: 'var(--series-2)',
      info: 'var(--series-1)',
      hint: 'var(--muted)',
    }).flatMap(([severity, color]) => [
      [`.cm-lint-marker-${severity}`, { content: 'none', ...DOT, backgroundColor: color }],
      [`.cm-lintRange-${severity}`, { backgroundImage: 'none', textDecoration: `underline wavy ${color}` }],
      [`.cm-diagnostic-${severity}`, { borderLeftColor: color }],
    ]),
  ),
  '.cm-diagnostic': { whiteSpace: 'pre-wrap', fontFamily: 'inherit' },
});

/** Puts an editor into an element. */
export function createEditor(host: HTMLElement, { text, label, onChange, onRun }: CodeEditorOptions): CodeEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const run = () => {
    onRun();
    return true;
  };
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([{ key: 'Mod-Enter', run }]),
        lineNumbers(),
        lintGutter(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        highlightSpecialChars(),
        drawSelection(),
        history(),
        bracketMatching(),
        indentOnInput(),
        indentUnit.of('  '),
        wgsl,
        syntaxHighlighting(colors),
        theme,
        keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
        EditorView.contentAttributes.of({
          tabindex: '0',
          'aria-label': label,
          spellcheck: 'false',
          autocapitalize: 'off',
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText(next) {
      if (next !== view.state.doc.toString())
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: 0 } });
    },
    mark(marks) {
      const first = marks.find(({ severity }) => severity === 'error');
      if (first) {
        const at = placeOf(view.state.doc, first.line, first.column);
        view.dispatch({ effects: EditorView.scrollIntoView(at, { y: 'nearest', yMargin: 60 }) });
      }
      view.dispatch(
        setDiagnostics(
          view.state,
          marks.map((mark) => diagnosticOf(view.state.doc, mark)),
        ),
      );
    },
    goTo(line, column) {
      const anchor = placeOf(view.state.doc, line, column);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

function diagnosticOf(text: Text, { severity, line, column, message }: Mark): Diagnostic {
  const from = placeOf(text, line, column);
  const rest = text.lineAt(from);
  // The word or sign that the compiler points at.
  const length = /^(?:\w+|\S)/.exec(rest.text.slice(from - rest.from))?.[0].length ?? 0;
  return { from, to: from + length, severity, message };
}

function placeOf(text: Text, line: number, column: number): number {
  const { from, to } = text.line(Math.min(Math.max(1, line), text.lines));
  return Math.min(from + Math.max(0, column - 1), to);
}
