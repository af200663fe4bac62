/** The steps of the chosen picture as it is, and as it would be: the latest question wins, and an earlier one is cancelled. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PromptsReport, WeightSet, WhatIf } from '../../protocol.js';
import { useEngine } from '../engine-state.js';
import type { Shown } from '../predict/pictures.js';
import { type RunningTask, type TaskWatch, useTask } from '../use-task.js';
import { Steps } from './steps.js';

/** A slider tells every pixel; the engine is asked once it rests for so long. */
const REST_MILLISECONDS = 40;

/** What is to be otherwise, as the controls have it. */
export interface Change {
  readonly mode?: WhatIf['mode'];
  readonly preset?: WhatIf['preset'];
  /** `picture`: those of the picture `other`. */
  readonly weights: 'own' | 'equal' | 'picture';
  /** Of single weights, in place of what they would be. */
  readonly set: readonly WeightSet[];
}

export const NO_CHANGE: Change = { weights: 'own', set: [] };

export function isChanged({ mode, preset, weights, set }: Change): boolean {
  return mode !== undefined || preset !== undefined || weights !== 'own' || set.length > 0;
}

export interface StepsState {
  /** The picture as it is; undefined until that is known. */
  readonly real: Steps | undefined;
  /** As it would be; `real` if nothing is changed, and the last known while the next is computed. */
  readonly now: Steps | undefined;
  /** True while `now` is not yet what was asked for. */
  readonly stale: boolean;
  readonly task: RunningTask;
}

interface Known {
  readonly key: string;
  readonly steps: Steps;
}

/** Nothing is asked unless `wanted`, which the tab is while it is looked at. */
export function useSteps(
  picture: Shown,
  other: Shown,
  prompts: PromptsReport | undefined,
  change: Change,
  wanted: boolean,
): StepsState {
  const { engine, generation } = useEngine();
  const task = useTask();
  const [real, setReal] = useState<Known>();
  const [supposed, setSupposed] = useState<Known>();
  /** Features of other pictures, by the picture's id and what made them. */
  const features = useRef(new Map<string, Float32Array>());
  const { run } = task;
  const id = prompts?.id;
  const key = `${generation} ${id} ${prompts?.epochs} ${picture.id}`;
  const { mode, preset, weights, set } = change;
  const changed = isChanged(change);
  const whatIfKey = `${key} ${JSON.stringify([mode, preset, weights, set, weights === 'picture' && other.id])}`;
  const known = real?.key === key ? real.steps : undefined;

  useEffect(() => {
    if (!wanted || id === undefined) return;
    if (known && (!changed || supposed?.key === whatIfKey)) return;
    if (!known) {
      void run(async (watch) => {
        const answer = await engine.run('explain', { prompts: id, image: picture.picture, change: {} }, watch);
        setReal({ key, steps: new Steps(answer) });
      });
      return;
    }
    const featureOf = async (shown: Shown, watch: TaskWatch) => {
      const place = `${generation} ${shown.id}`;
      const kept = features.current.get(place);
      if (kept) return kept;
      const { feature } = await engine.run('explain', { prompts: id, image: shown.picture, change: {} }, watch);
      features.current.set(place, feature);
      return feature;
    };
    const ask = () =>
      run(async (watch) => {
        const used = weights === 'picture' ? await featureOf(other, watch) : weights === 'equal' ? 'equal' : undefined;
        const whatIf: WhatIf = { ...(mode && { mode }), ...(preset && { preset }), weights: used, set };
        const { feature } = known.answer;
        const answer = await engine.run('explain', { prompts: id, image: feature, change: whatIf }, watch);
        setSupposed({ key: whatIfKey, steps: new Steps(answer) });
      });
    const timer = setTimeout(() => void ask(), REST_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [engine, wanted, key, whatIfKey, known]);

  return useMemo(() => {
    const fresh = changed ? supposed?.key === whatIfKey : true;
    // While a slider moves, what it gave last; never another picture's.
    const last = supposed?.key.startsWith(`${key} `) ? supposed.steps : known;
    return { real: known, now: changed ? last : known, stale: !known || !fresh, task };
  }, [known, supposed, whatIfKey, changed, key, task]);
}
