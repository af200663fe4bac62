/**
 * `ptdpc lab grade`: a class's folders, one for each student, checked in lockstep: the same verdicts on every machine, and no adapter needed. Each
 * file has a process of its own, so that one that does not end, or takes all memory, costs its own mark only.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../errors.js';
import { type Task, tasks } from '../../lab/index.js';
import { writeFileAtomically } from '../../node/atomic.js';
import { onSignals } from '../../node/signals.js';
import { explained, isSystemError } from '../../node/system-error.js';
import { hardwareThreads } from '../../node/wasm-threads.js';
import { print, printJson, printLines, say } from '../output.js';
import { progress } from '../progress.js';
import { table } from '../tables.js';

interface Options {
  csv?: string;
  timeLimit: number;
  json?: boolean;
}

interface Answer {
  readonly student: string;
  readonly task: Task;
  readonly folder: string;
  readonly file: string;
}

/** One file of one student. */
interface Grade {
  readonly student: string;
  readonly task: string;
  readonly passed: boolean;
  /** Why not. */
  readonly reason: string;
}

/** Grades every folder of `folder`. Throws InputError if there is none. */
export async function gradeClass(folder: string, { csv, timeLimit, json }: Options): Promise<void> {
  const students = (await entries(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (students.length === 0)
    throw new InputError(`${folder}: expected a folder for each student, with files named by tasks; found none`);
  const answers: Answer[] = [];
  for (const student of students.sort()) {
    const files = (await entries(join(folder, student))).filter(({ name }) => name.endsWith('.wgsl'));
    for (const { name } of files) {
      const task = taskOfFile(name);
      if (!task) say(`warning: ${student}/${name}: no task has this name; left out`);
      else answers.push({ student, task, folder: join(folder, student), file: name });
    }
  }
  const grades = await gradesOf(answers, timeLimit);
  if (csv !== undefined) await writeFileAtomically(csv, csvText(grades));
  if (json) printJson({ students, grades });
  else printGrades(students, grades);
}

async function entries(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new InputError(`${folder}: cannot be read (${explained(error)})`);
  }
}

/** `double.wgsl`, `4.wgsl`, or the name of the starting file. */
function taskOfFile(file: string): Task | undefined {
  const name = file.slice(0, -'.wgsl'.length);
  return tasks.find(({ id, number, file: start }) => id === name || `${number}` === name || basename(start) === file);
}

/** Checks at a time at most: a process takes some hundred megabytes. */
const MOST_PROCESSES = 4;
/** Megabytes of JavaScript's heap for one check, far more than an answer takes. */
const HEAP = 512;

/** In the order of the answers. */
async function gradesOf(answers: readonly Answer[], timeLimit: number): Promise<Grade[]> {
  const grades: Grade[] = [];
  using bar = progress(answers.length, 'answers');
  const ended = new AbortController();
  await using _ = onSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal) => {
    // A check that does not end would outlive this process.
    ended.abort();
    process.kill(process.pid, signal);
  });
  const queue = answers.entries();
  const next = async () => {
    for (const [i, answer] of queue) {
      const { student, task } = answer;
      grades[i] = { student, task: task.id, ...(await verdict(answer, timeLimit, ended.signal)) };
      bar.tick(1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(MOST_PROCESSES, hardwareThreads()) }, next));
  return grades;
}

type Verdict = Pick<Grade, 'passed' | 'reason'>;

/** What `lab exercise` says of an answer, or how it came to say nothing. */
function verdict({ task, folder, file }: Answer, timeLimit: number, signal: AbortSignal): Promise<Verdict> {
  const exercise = ['lab', 'exercise', task.id, `--check=${file}`, '--device=lockstep', '--json'];
  const args = [`--max-old-space-size=${HEAP}`, process.argv[1]!, ...exercise];
  const limits = { timeout: 1000 * timeLimit, killSignal: 'SIGKILL', maxBuffer: 2 ** 26, signal } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder, ...limits }, (error, stdout, stderr) => {
      const said = stdout === '' ? undefined : parsed(stdout);
      const [, complaint] = /^ptdpc: (.*)$/m.exec(stderr) ?? [];
      const [, defect] = /^internal error: (.*) \(PTDPC_DEBUG=1/.exec(complaint ?? '') ?? [];
      if (said) resolve(said);
      else if (error?.killed)
        resolve(wrong(`no verdict within ${timeLimit} seconds; a loop may not end (--time-limit waits longer)`));
      else if (complaint !== undefined && defect === undefined) resolve(wrong(complaint));
      else resolve(wrong(`its check crashed (${defect ?? error?.signal ?? `exit code ${error?.code}`})`));
    });
  });
}

const wrong = (reason: string): Verdict => ({ passed: false, reason });

/** Undefined for a document that was cut off. */
function parsed(json: string): Verdict | undefined {
  try {
    const { passed, reason } = JSON.parse(json) as Verdict;
    return { passed, reason };
  } catch {
    return undefined;
  }
}

function printGrades(students: readonly string[], grades: readonly Grade[]): void {
  const asked = tasks.filter(({ id }) => grades.some((grade) => grade.task === id));
  for (const { student, task, passed, reason } of grades) if (!passed) print(`${student}, ${task}: ${reason}`);
  printLines(
    table([
      ['student', ...asked.map(({ id }) => id), 'right'],
      ...students.map((student) => {
        const own = grades.filter((grade) => grade.student === student);
        const marks = asked.map(({ id }) => {
          const found = own.filter(({ task }) => task === id);
          if (found.length === 0) return '-';
          return found.some(({ passed }) => passed) ? 'right' : 'wrong';
        });
        return [student, ...marks, `${marks.filter((mark) => mark === 'right').length} of ${asked.length}`];
      }),
    ]),
  );
}

function csvText(grades: readonly Grade[]): string {
  // A name that begins with one of these a spreadsheet would take for a formula.
  const cell = (text: string) => `"${(/^[=+\-@]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const lines = grades.map(({ student, task, passed, reason }) =>
    [cell(student), cell(task), passed ? 1 : 0, cell(reason)].join(','),
  );
  return `${['student,task,right,reason', ...lines].join('\n')}\n`;
}
