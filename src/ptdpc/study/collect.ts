/** What a study found, from the results of its tasks. */
import { baseName } from '../experiment/variants.js';
import { type StudyPlan, seedsOf, studyTask } from './plan.js';
import { STUDY_RESULTS_FORMAT, type StudyCell, type StudyResults, type StudySeed } from './results.js';
import { describeRow } from './rows.js';

/** The result of a task. */
export interface StudyTaskResult {
  /** Class words. */
  classes: string[];
  result: StudySeed;
  /** Images that could not be read and were left out, of all splits. */
  skipped: number;
}

/** The results so far, keyed by the names of tasks; seeds without one are listed as missing. */
export function collectStudy(plan: StudyPlan, results: ReadonlyMap<string, StudyTaskResult>): StudyResults {
  const { configuration, title, datasets, shots, rows, program } = plan;
  const { model, demonstration } = configuration;
  const cells = datasets.flatMap((dataset) =>
    shots.flatMap((images) =>
      rows.map((row): StudyCell => {
        const seeds: StudySeed[] = [];
        const missing: number[] = [];
        for (let seed = 0; seed < seedsOf(plan, dataset); seed++) {
          const found = results.get(studyTask(dataset, row, images, seed).name);
          if (found) seeds.push({ ...found.result, seed });
          else missing.push(seed);
        }
        return { dataset: dataset.name, row: row.name, shots: images, seeds, missing };
      }),
    ),
  );
  const classesOf = (dataset: string): string[] => {
    const task = cells.find((cell) => cell.dataset === dataset && cell.seeds.length > 0)?.seeds[0]?.task;
    return (task !== undefined && results.get(task)?.classes) || [];
  };
  return {
    format: STUDY_RESULTS_FORMAT,
    title,
    demonstration,
    made: {
      program,
      model: { name: baseName(model.directory), sha256: model.sha256 },
      devices: [...new Set(cells.flatMap(({ seeds }) => seeds.map(({ device }) => device)))].sort(),
      seeds: Array.from({ length: plan.seeds }, (_, seed) => seed),
    },
    datasets: datasets.map(({ name, label }) => ({ name, label, classes: classesOf(name) })),
    shots: [...shots],
    rows: rows.map(describeRow),
    cells,
  };
}
