/** Course: tasks on kernels in tracks, with hints in stages, an editor, and a check that tells what is wrong. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LabChecked, LabCourse, LabTask } from '../../protocol-lab.js';
import { lineOf } from '../engine-client.js';
import { TaskLine } from '../task-line.js';
import { useTask } from '../use-task.js';
import type { Mark } from './code-editor.js';
import { Editor } from './editor.js';
import { LabEngine } from './lab-engine.js';
import { remember, remembered } from './storage.js';
import { WrongGrid } from './wrong-grid.js';
import './lab.css';

const engine = new LabEngine();

export function CourseTab() {
  const [course, setCourse] = useState<LabCourse>();
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    engine.run('lab-course', {}).then(setCourse, (error) => setFailed(lineOf(error)));
  }, []);
  if (failed !== null) return <p class="error">{failed}</p>;
  return course ? <Course course={course} /> : <p class="lead">Loading …</p>;
}

function Course({ course: { hasAdapter, tracks } }: { readonly course: LabCourse }) {
  const all = tracks.flatMap(({ tasks }) => tasks);
  const [solved, setSolved] = useState<ReadonlySet<string>>(
    () => new Set((remembered('course solved') ?? '').split(' ').filter((id) => all.some((one) => one.id === id))),
  );
  const [chosen, setChosen] = useState(() => remembered('course task'));
  // Whether the task was come to by the button below the one before.
  const [moved, setMoved] = useState(false);
  const task = all.find(({ id }) => id === chosen) ?? all[0]!;
  const later = [...all.slice(all.indexOf(task) + 1), ...all.slice(0, all.indexOf(task))];
  const next = later.find(({ id }) => !solved.has(id));
  const choose = (id: string, byButton: boolean) => {
    setChosen(id);
    setMoved(byButton);
    remember('course task', id);
  };
  const onSolved = useCallback((id: string) => {
    setSolved((before) => {
      const now = new Set([...before, id]);
      remember('course solved', [...now].join(' '));
      return now;
    });
  }, []);
  return (
    <>
      <p class="note">
        {solved.size} of {all.length} tasks solved. Answers and progress stay in this browser.{' '}
        {!hasAdapter &&
          'This browser has no WebGPU adapter: answers are executed on the processor, all invocations in lockstep. That finds wrong results and races, but does not check types as a compiler does.'}
      </p>
      <p class="field">
        <label for="course-task">Task</label>
        <select id="course-task" value={task.id} onChange={({ currentTarget: { value } }) => choose(value, false)}>
          {tracks.map(({ id, title, tasks }) => (
            <optgroup key={id} label={title}>
              {tasks.map((one) => (
                <option key={one.id} value={one.id}>
                  {solved.has(one.id) ? '✓ ' : ''}
                  {one.title} ({one.minutes} min)
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </p>
      <TaskView
        key={task.id}
        {...{ task, next, moved, onSolved }}
        onNext={() => {
          if (next) choose(next.id, true);
        }}
      />
    </>
  );
}

const NO_MARKS: readonly Mark[] = [];

interface TaskViewProps {
  readonly task: LabTask;
  /** The next that is not solved; undefined once all others are. */
  readonly next: LabTask | undefined;
  /** Whether to begin at its heading. */
  readonly moved: boolean;
  readonly onSolved: (id: string) => void;
  readonly onNext: () => void;
}

function TaskView({ task, next, moved, onSolved, onNext }: TaskViewProps) {
  const { id, title, statement, hints, tolerance, why, start } = task;
  const running = useTask();
  const [text, setText] = useState(() => remembered(`course text ${id}`) ?? start);
  const [revision, setRevision] = useState(0);
  const [hintsShown, setHintsShown] = useState(0);
  const [checked, setChecked] = useState<{ readonly text: string; readonly result: LabChecked }>();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (moved) heading.current?.focus();
  }, [moved]);
  const change = (changed: string) => {
    setText(changed);
    remember(`course text ${id}`, changed === start ? null : changed);
  };
  const check = () =>
    void running.run(async (watch) => {
      setChecked(undefined);
      const result = await engine.run('lab-check', { task: id, text }, watch);
      setChecked({ text, result });
      if (result.passed) onSolved(id);
    });
  const marks = useMemo(() => (checked?.text === text ? marksOf(checked.result) : NO_MARKS), [checked, text]);
  return (
    <div class="lab-columns course-columns">
      <div class="course-task">
        <h2 tabIndex={-1} ref={heading}>
          {title}
        </h2>
        <p>{statement}</p>
        <p class="note">
          Tolerance: {tolerance} of the largest number of the output{why === undefined ? '' : `: ${why}`}.
        </p>
      </div>
      <div class="lab-editor">
        <Editor
          label={`WGSL of ${title}`}
          {...{ text, revision, marks }}
          onReady={() => {}}
          onChange={change}
          onRun={check}
        />
        <button
          type="button"
          onClick={() => {
            change(start);
            setRevision(revision + 1);
          }}
        >
          Start again
        </button>
      </div>
      <div class="course-side">
        <div class="field">
          <button type="button" class="main" disabled={running.running} onClick={check}>
            Check
          </button>
          <button type="button" disabled={hintsShown === hints.length} onClick={() => setHintsShown(hintsShown + 1)}>
            Hint {Math.min(hintsShown + 1, hints.length)} of {hints.length}
          </button>
        </div>
        {hintsShown > 0 && (
          <ol class="course-hints">
            {hints.slice(0, hintsShown).map((hint) => (
              <li key={hint}>{hint}</li>
            ))}
          </ol>
        )}
        <TaskLine task={running} />
        <div role="status">{checked && <Verdict result={checked.result} changed={checked.text !== text} />}</div>
        {checked?.result.passed &&
          (next ? (
            <button type="button" class="main" onClick={onNext}>
              Next task: {next.title}
            </button>
          ) : (
            <p>That was the last one: all tasks are solved.</p>
          ))}
      </div>
    </div>
  );
}

function Verdict({ result, changed }: { readonly result: LabChecked; readonly changed: boolean }) {
  const { passed, reason, cases, lines, failure, compilation } = result;
  return (
    <section aria-labelledby="course-verdict">
      <h3 id="course-verdict" class={passed ? 'right' : 'wrong'}>
        {passed ? `Right on ${cases} cases` : `Not yet: ${reason}`}
      </h3>
      {changed && <p class="note">The text has changed since.</p>}
      {compilation?.messages.map(({ type, line, text }, i) => (
        <p key={i} class="note">
          line {line}: {type}: {text.trim()}
        </p>
      ))}
      {lines.length > 0 && <pre>{lines.join('\n')}</pre>}
      {failure?.map && <WrongGrid map={failure.map} />}
    </section>
  );
}

/** The compiler's messages by position in the text, or the one at which execution without a compiler came to an end. */
function marksOf({ compilation, reason }: LabChecked): readonly Mark[] {
  const [, line, message = ''] = /\bline (\d+): (.*)$/.exec(reason) ?? [];
  if (!compilation)
    return line === undefined ? NO_MARKS : [{ severity: 'error', line: Number(line), column: 1, message }];
  return compilation.messages
    .filter(({ line }) => line > 0)
    .map(({ type, line, column, text }) => ({ severity: type, line, column, message: text.trim() }));
}
