/** Laboratory: a kernel's WGSL is edited, compared with its definition, and timed beside the shipped variants. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LabReport, LabShapes, LabTrial } from '../../protocol-lab.js';
import { FileButton } from '../drop-zone.js';
import { saveFile } from '../save-file.js';
import { TaskLine } from '../task-line.js';
import { WhenShown } from '../when-shown.js';
import { Certificate } from './certificate.js';
import type { CodeEditor, Mark } from './code-editor.js';
import { Editor } from './editor.js';
import { RealShapes, ShapeField } from './shapes.js';
import { TrialReport } from './trial.js';
import { useKernel, useReport, useShape, useText, useTrials } from './use-lab.js';
import './lab.css';

const stepper = () => import('./stepper/stepper.js').then(({ Stepper }) => Stepper);

/** A text is run so long after the last key, if that is wished. */
const PAUSE_MILLISECONDS = 800;

export function LabTab() {
  const { report, shapes, failed } = useReport();
  if (failed !== null) return <p class="error">{failed}</p>;
  if (!report) return <p class="lead">Loading …</p>;
  return <Laboratory report={report} shapes={shapes} />;
}

function Laboratory({ report, shapes }: { readonly report: LabReport; readonly shapes: LabShapes | undefined }) {
  const { adapter } = report;
  const { kernel, choose } = useKernel(report);
  const { task, tried, run } = useTrials();
  const { text, revision, kept, change, startFrom } = useText(kernel, task.setError);
  const { shape, setShape } = useShape(kernel?.kernel);
  const [variant, setVariant] = useState<string>();
  const [onPause, setOnPause] = useState(false);
  const editor = useRef<CodeEditor>();
  const onReady = useCallback((ready: CodeEditor) => {
    editor.current = ready;
  }, []);
  const name = kernel!.kernel;
  const canRun = adapter !== undefined && text !== undefined;
  const runNow = () => {
    if (canRun) run({ kernel: name, text, shape });
  };
  const current = tried?.kernel === name ? tried : undefined;
  useEffect(() => {
    if (!onPause || !canRun || (current?.text === text && current.shape === shape)) return;
    const timer = setTimeout(runNow, PAUSE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [onPause, text, shape, name]);
  const marks = useMemo(() => (current && current.text === text ? marksOf(current.trial) : NO_MARKS), [current, text]);
  const chosenVariant = kernel!.variants.find((one) => one === variant) ?? kernel!.variants[0]!;
  return (
    <>
      <AdapterLine report={report} />
      <div class="lab-bar">
        <p class="field">
          <label for="lab-kernel">Kernel</label>
          <select id="lab-kernel" value={name} onChange={({ currentTarget }) => choose(currentTarget.value)}>
            {report.kernels.map((one) => (
              <option key={one.kernel} value={one.kernel}>
                {one.kernel}
              </option>
            ))}
          </select>
        </p>
        <p class="field">
          <label for="lab-variant">Start again from</label>
          <select
            id="lab-variant"
            value={chosenVariant}
            onChange={({ currentTarget }) => setVariant(currentTarget.value)}
          >
            {kernel!.variants.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
          <button type="button" onClick={() => void startFrom(name, chosenVariant)}>
            Load this version
          </button>
        </p>
        <ShapeField kernel={kernel!} shapes={shapes} shape={shape} onShape={setShape} />
      </div>
      <p class="note">
        <code>{kernel!.equation}</code>
      </p>
      <div class="lab-columns">
        <div class="lab-editor">
          {text === undefined ? (
            <div class="editor" />
          ) : (
            <Editor
              label={`WGSL of ${name}`}
              {...{ text, revision, marks, onReady }}
              onChange={(changed) => change(name, changed, false)}
              onRun={runNow}
            />
          )}
          <div class="field">
            <FileButton accept=".wgsl" onFiles={([file]) => void file?.text().then((read) => change(name, read, true))}>
              Open a .wgsl file
            </FileButton>
            <button
              type="button"
              disabled={text === undefined}
              onClick={() => saveFile(`${name}.wgsl`, new TextEncoder().encode(text))}
            >
              Save as {name}.wgsl
            </button>
          </div>
          <p class="note">
            Control or ⌘ with Enter runs the text. Tab leaves the editor; Control or ⌘ with ] and [ indent.{' '}
            {kept
              ? 'Your text of each kernel is kept in this browser, and nowhere else.'
              : 'This browser does not let the page keep your text: save it as a file.'}
          </p>
        </div>
        <div class="lab-result">
          <div class="field">
            <button type="button" class="main" disabled={!canRun || task.running} onClick={runNow}>
              Run
            </button>
            <label class="check">
              <input
                type="checkbox"
                checked={onPause}
                disabled={!adapter}
                onChange={({ currentTarget }) => setOnPause(currentTarget.checked)}
              />
              Run as I type
            </label>
          </div>
          <TaskLine task={task} />
          <div role="status">
            {current && (
              <TrialReport
                tried={current}
                changed={current.text !== text || current.shape !== shape}
                onGoTo={(line, column) => editor.current?.goTo(line, column)}
              />
            )}
          </div>
          {!current && !task.running && adapter && (
            <p class="muted">
              A run compiles the text, checks it against the kernel's definition on the {kernel!.cases} edge cases of
              its suite, each twice, and times it beside the shipped variants.
            </p>
          )}
        </div>
      </div>
      <section class="block" aria-labelledby="lab-steps">
        <h2 id="lab-steps">Step through a kernel</h2>
        <WhenShown load={stepper} />
      </section>
      <RealShapes kernel={name} shapes={shapes} />
      {adapter && <Certificate adapter={adapter} kernel={name} />}
    </>
  );
}

const NO_MARKS: readonly Mark[] = [];

/** The compiler's messages by position in the text. */
function marksOf({ compilation }: LabTrial): Mark[] {
  return compilation.messages
    .filter(({ line }) => line > 0)
    .map(({ type, line, column, text }) => ({ severity: type, line, column, message: text.trim() }));
}

function AdapterLine({ report: { adapter } }: { readonly report: LabReport }) {
  if (!adapter) {
    return (
      <p class="notice" role="status">
        The laboratory needs WebGPU: it hands your WGSL to this browser's own compiler and runs it on the graphics
        device, and this browser has no adapter for that. You may read, edit and save the kernels all the same, and try
        them with <code>ptdpc lab run</code>. Stepping through a kernel, below, works without it.
      </p>
    );
  }
  return (
    <p class="note">
      Kernels run on WebGPU, {adapter.description}, on a device of their own
      {adapter.software &&
        '. It is a software adapter: right, but slow, so choose small sizes to time; a call of the usual ones may take seconds, and a kernel ' +
          'that does not end may stop the drawing of the page until the browser is started again'}
      .
    </p>
  );
}
