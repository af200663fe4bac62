/** `ptdpc lab grade`: a class's folders, one for each student, checked in lockstep: the same verdicts on every machine, and no adapter needed. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError, messageOf } from '../../errors.js';
import { checkTask, type Task, tasks } from '../../lab/index.js';
import { writeFileAtomically } from '../../node/atomic.js';
import { explained, isSystemError } from '../../node/system-error.js';
import { print, printJson, printLines, say } from '../output.js';
import { table } from '../tables.js';
import { readVariant } from './run.js';

interface Options {
  csv?: string;
  json?: boolean;
}

/** One file of one student. */
interface Grade {
  readonly student: string;
  readonly task: string;
  readonly passed: boolean;
  /** Why not. */
  readonly reason: string;
}

/** Grades every folder of `folder`. A file that is wrong in whatever way costs its own mark only. */
export async function gradeClass(folder: string, { csv, json }: Options): Promise<void> {
  const students = (await entries(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (students.length === 0)
    throw new InputError(`${folder}: expected a folder for each student, with files named by tasks; found none`);
  const grades: Grade[] = [];
  for (const student of students.sort()) {
    const files = (await entries(join(folder, student))).filter(({ name }) => name.endsWith('.wgsl'));
    for (const { name } of files) {
      const task = taskOfFile(name);
      if (!task) say(`warning: ${student}/${name}: no task has this name; left out`);
      else grades.push({ student, task: task.id, ...(await verdict(task, join(folder, student, name))) });
    }
  }
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

async function verdict(task: Task, file: string): Promise<Pick<Grade, 'passed' | 'reason'>> {
  try {
    const { passed, reason } = await checkTask(undefined, task, basename(file), await readVariant(file));
    return { passed, reason };
  } catch (error) {
    // Whatever a file does to the machine, the class goes on.
    return { passed: false, reason: messageOf(error) };
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
