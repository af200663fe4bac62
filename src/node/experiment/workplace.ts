/** What the tasks of one process share: the plan, the device, and the model opened on it. */
import { TextTower } from '../../clip/towers/index.js';
import { InputError } from '../../errors.js';
import type { Plan } from '../../ptdpc/experiment/index.js';
import type { Engine } from '../../tensor/index.js';
import type { Events } from '../events.js';
import { type ModelDirectory, openModelDirectory } from '../model-directory.js';
import { Claims, type ClaimTiming } from './claims.js';
import type { PlanFolder } from './plan-folder.js';

export interface WorkOptions {
  engine: Engine;
  /** Bytes for activations, beside the weights. */
  memory: number;
  /** Where features are kept; undefined: in the plan's folder. */
  cache?: string | undefined;
  events: Events;
  claimTiming?: ClaimTiming | undefined;
}

export interface Workplace extends AsyncDisposable {
  readonly plan: Plan;
  readonly folder: PlanFolder;
  readonly claims: Claims;
  readonly engine: Engine;
  readonly model: ModelDirectory;
  readonly tower: TextTower;
  readonly memory: number;
  readonly strict: boolean;
  readonly cacheDirectory: string;
  readonly events: Events;
}

/** Opens the plan's model. Throws InputError where it is no longer the one that the plan was made with. */
export async function openWorkplace(folder: PlanFolder, plan: Plan, options: WorkOptions): Promise<Workplace> {
  const { engine, memory, events } = options;
  const { directory, sha256 } = plan.configuration.model;
  const model = await openModelDirectory(directory);
  try {
    if ((await model.hash()) !== sha256) {
      throw new InputError(
        `${directory}: its weights are no longer those that the plan in ${folder.path} was made with; choose another --out`,
      );
    }
    const tower = await TextTower.load(engine, model.clip, model.config);
    return {
      plan,
      folder,
      claims: new Claims(folder.claims, options.claimTiming),
      engine,
      model,
      tower,
      memory,
      strict: plan.configuration.strict,
      cacheDirectory: options.cache ?? folder.cache,
      events,
      [Symbol.asyncDispose]: async () => {
        tower[Symbol.dispose]();
        await model.close();
      },
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}
