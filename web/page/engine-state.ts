/** What all tabs share: the engine, what is open in it, and what it says. */
import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks';
import { DEVICE_CHOICES, type DeviceChoice } from '../../src/kernels/device-choice.js';
import type { Opened, PromptsReport } from '../protocol.js';
import { EngineClient, lineOf } from './engine-client.js';

export interface EngineState {
  readonly engine: EngineClient;
  readonly choice: DeviceChoice;
  /** Undefined until a device is open for the first time. */
  readonly opened: Opened | undefined;
  /** Counts what makes earlier answers stale: another device, another model. */
  readonly generation: number;
  /** True while a device is being opened. */
  readonly opening: boolean;
  /** What went wrong with the engine as a whole, or what it recovered from: one line each, the latest last. */
  readonly notices: readonly string[];
  dismissNotices(): void;
  choose(choice: DeviceChoice): Promise<void>;
  /** Takes over what a task has opened. */
  setOpened(opened: Opened): void;
  /** Adds prompts that the engine has loaded, or replaces those of the same id. */
  addPrompts(prompts: PromptsReport): void;
}

export const EngineContext = createContext<EngineState | undefined>(undefined);

/** The state that `App` provides. */
export function useEngine(): EngineState {
  const state = useContext(EngineContext);
  if (!state) throw new Error('outside of the app');
  return state;
}

const engine = new EngineClient();

export function useEngineState(): EngineState {
  const [choice, setChoice] = useState<DeviceChoice>(choiceOfAddress);
  const [opened, replaceOpened] = useState<Opened>();
  const [generation, setGeneration] = useState(0);
  const [opening, setOpening] = useState(true);
  const [notices, setNotices] = useState<readonly string[]>([]);
  const say = useCallback((line: string) => setNotices((before) => [...before, line]), []);

  const setOpened = useCallback((next: Opened) => {
    replaceOpened(next);
    setGeneration((before) => before + 1);
  }, []);
  /** The choice that the open device came of, to which a choice that fails goes back. */
  const held = useRef<DeviceChoice | undefined>(undefined);
  const choose = useCallback(
    async (next: DeviceChoice) => {
      const open = async (wanted: DeviceChoice) => {
        setChoice(wanted);
        setOpened(await engine.run('open', { choice: wanted }));
        held.current = wanted;
        rememberChoice(wanted);
      };
      const sayWhy = (error: unknown) => {
        const line = lineOf(error);
        if (line !== null) say(line);
      };
      setOpening(true);
      try {
        await open(next);
      } catch (error) {
        sayWhy(error);
        if (held.current) setChoice(held.current);
        // The address may ask for a device that this machine lacks.
        else if (next !== 'auto') await open('auto').catch(sayWhy);
      } finally {
        setOpening(false);
      }
    },
    [setOpened, say],
  );
  useEffect(() => {
    engine.onNews = (news) => {
      if ('notice' in news) say(news.notice);
      else replaceOpened((before) => before && { ...before, device: news.device });
    };
    void choose(choiceOfAddress());
  }, [choose, say]);

  return {
    ...{ engine, choice, opened, generation, opening, notices, choose, setOpened },
    dismissNotices: () => setNotices([]),
    addPrompts: (added) =>
      replaceOpened(
        (before) => before && { ...before, prompts: [...before.prompts.filter(({ id }) => id !== added.id), added] },
      ),
  };
}

/** `?device=webgpu`: a choice survives reloading, and a link can carry it. */
function choiceOfAddress(): DeviceChoice {
  const named = new URLSearchParams(location.search).get('device');
  return DEVICE_CHOICES.find((choice) => choice === named) ?? 'auto';
}

function rememberChoice(choice: DeviceChoice): void {
  const url = new URL(location.href);
  if (choice === 'auto') url.searchParams.delete('device');
  else url.searchParams.set('device', choice);
  history.replaceState(null, '', url);
}
