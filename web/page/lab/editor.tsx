/** The editor's place in the page. */
import { useEffect, useRef } from 'preact/hooks';
import { type CodeEditor, createEditor, type Mark } from './code-editor.js';

export interface EditorProps {
  readonly label: string;
  /** The text that it begins with, or with another `revision` gets: what the user types is ahead of what its parent has heard. */
  readonly text: string;
  readonly revision: number;
  readonly marks: readonly Mark[];
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
  /** Gives the editor itself, to go to a place in it. */
  readonly onReady: (editor: CodeEditor) => void;
}

export function Editor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor>();
  const latest = useRef(props);
  latest.current = props;
  const { label, text, revision, marks } = props;
  useEffect(() => {
    const made = createEditor(host.current!, {
      ...{ label, text },
      onChange: (changed) => latest.current.onChange(changed),
      onRun: () => latest.current.onRun(),
    });
    editor.current = made;
    latest.current.onReady(made);
    return () => {
      made.destroy();
      editor.current = undefined;
    };
  }, [label]);
  useEffect(() => editor.current?.setText(text), [revision]);
  useEffect(() => editor.current?.mark(marks), [marks, label]);
  return <div class="editor" ref={host} />;
}
