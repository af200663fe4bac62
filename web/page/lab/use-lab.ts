/** The laboratory's state: kernels and variants, the selection, the text, and its results. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type {
  LabCertificate,
  LabCertifyRequest,
  LabKernelReport,
  LabReport,
  LabShapes,
  LabTrial,
} from '../../protocol-lab.js';
import { lineOf } from '../engine-client.js';
import { type RunningTask, useTask } from '../use-task.js';
import { LabEngine } from './lab-engine.js';
import { remember, remembered } from './storage.js';

const engine = new LabEngine();
/** Of its own, since a trial would wait for minutes behind it. */
const certifier = new LabEngine();

/** The first kernel that is shown: most of the work. */
const FIRST = 'matmul';

/** A trial with what was tried. */
export interface Tried {
  readonly kernel: string;
  readonly text: string;
  readonly shape: string;
  readonly trial: LabTrial;
}

/** The kernels and the adapter; undefined until they are known. `failed` says why they cannot be. */
export function useReport() {
  const [report, setReport] = useState<LabReport>();
  const [shapes, setShapes] = useState<LabShapes>();
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    engine.run('lab-kernels', {}).then(setReport, (error) => setFailed(lineOf(error)));
    engine.run('lab-shapes', {}).then(setShapes, () => {});
  }, []);
  return { report, shapes, failed };
}

/** The chosen kernel, as the user left it. */
export function useKernel(report: LabReport | undefined) {
  const [name, setName] = useState(() => remembered('kernel') ?? FIRST);
  const kernel =
    report?.kernels.find((one) => one.kernel === name) ?? report?.kernels.find((one) => one.kernel === FIRST);
  const choose = useCallback((next: string) => {
    setName(next);
    remember('kernel', next);
  }, []);
  useEffect(() => {
    const follow = () => {
      const named = kernelOfAddress();
      if (named === undefined) return;
      choose(named);
      // So that a reload finds what is chosen later.
      history.replaceState(null, '', '#laboratory');
    };
    follow();
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, [choose]);
  return { kernel, choose };
}

/** `#laboratory/compose`: a link may name the kernel. */
const kernelOfAddress = () => /^#laboratory\/(\w+)$/.exec(location.hash)?.[1];

/** A text, and how often it was replaced from outside the editor. */
interface Version {
  readonly text: string;
  readonly revision: number;
}

/** The text of a kernel: the user's own, or else its plainest variant. */
export function useText(kernel: LabKernelReport | undefined, onError: (line: string | null) => void) {
  const [texts, setTexts] = useState<Readonly<Record<string, Version>>>({});
  const [kept, setKept] = useState(true);
  const put = useCallback((kernel: string, text: string, replaced: boolean) => {
    setTexts((before) => {
      const revision = (before[kernel]?.revision ?? 0) + Number(replaced);
      return { ...before, [kernel]: { text, revision } };
    });
  }, []);
  /** Takes the user's text: as the editor has it, or with `replaced` one that the editor does not have yet. */
  const change = useCallback(
    (kernel: string, text: string, replaced: boolean) => {
      put(kernel, text, replaced);
      setKept(remember(`text ${kernel}`, text));
    },
    [put],
  );
  /** Begins again from a shipped variant. */
  const startFrom = useCallback(
    async (kernel: string, variant: string) => {
      try {
        const { text } = await engine.run('lab-starter', { kernel, variant });
        remember(`text ${kernel}`, null);
        put(kernel, text, true);
      } catch (error) {
        onError(lineOf(error));
      }
    },
    [put, onError],
  );
  useEffect(() => {
    if (!kernel || texts[kernel.kernel] !== undefined) return;
    const own = remembered(`text ${kernel.kernel}`);
    if (own !== null) put(kernel.kernel, own, true);
    else void startFrom(kernel.kernel, kernel.variants[0]!);
  }, [kernel, texts, put, startFrom]);
  const version = kernel && texts[kernel.kernel];
  return { text: version?.text, revision: version?.revision ?? 0, kept, change, startFrom };
}

/** The sizes to be timed of each kernel; empty: the usual ones. */
export function useShape(name: string | undefined) {
  const [shapes, setShapes] = useState<Readonly<Record<string, string>>>({});
  const shape = name === undefined ? '' : (shapes[name] ?? remembered(`shape ${name}`) ?? '');
  const setShape = (next: string) => {
    if (name === undefined) return;
    setShapes((before) => ({ ...before, [name]: next }));
    remember(`shape ${name}`, next === '' ? null : next);
  };
  return { shape, setShape };
}

/** Runs texts, one at a time, and keeps what became of the last. */
export function useTrials(): {
  task: RunningTask;
  tried: Tried | undefined;
  run: (what: Omit<Tried, 'trial'>) => void;
} {
  const task = useTask();
  const [tried, setTried] = useState<Tried>();
  const { run: runTask } = task;
  const run = useCallback(
    (what: Omit<Tried, 'trial'>) => {
      void runTask(async (watch) => {
        // A text that is refused has no verdict, and the one before must not stand below the refusal.
        setTried(undefined);
        const trial = await engine.run('lab-try', what, watch);
        setTried({ ...what, trial });
      });
    },
    [runTask],
  );
  return { task, tried, run };
}

/** Certifies the adapter, and keeps what came of it last. */
export function useCertificate(): {
  task: RunningTask;
  certificate: LabCertificate | undefined;
  certify: (request: LabCertifyRequest) => void;
} {
  const task = useTask();
  const [certificate, setCertificate] = useState<LabCertificate>();
  const { run: runTask } = task;
  const certify = useCallback(
    (request: LabCertifyRequest) => {
      void runTask(async (watch) => {
        setCertificate(undefined);
        setCertificate(await certifier.run('lab-certify', request, watch));
      });
    },
    [runTask],
  );
  return { task, certificate, certify };
}
