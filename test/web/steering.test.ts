/** What the engine does between two steps of a tuning: lets others in, and goes as far as it was told to. Names of runs. */
import { describe, expect, it } from 'vitest';
import { tuningOptions } from '../../src/ptdpc/options.js';
import { TaskQueue } from '../../web/engine/queue.js';
import { Steering } from '../../web/engine/steering.js';
import { runNames } from '../../web/page/tune/run-names.js';

describe('the queue of tasks', () => {
  it('runs tasks in their order, and between two steps those that need not wait', async () => {
    const order: string[] = [];
    const queue = new TaskQueue();
    const job = (name: string, mayInterrupt: boolean) => ({ mayInterrupt, run: async () => void order.push(name) });
    const ended = new Promise<void>((resolve) => {
      queue.add({
        mayInterrupt: false,
        run: async () => {
          order.push('step');
          await queue.arrival(new AbortController().signal);
          queue.add(job('open', false));
          queue.add(job('prediction', true));
          expect([queue.hasGuests, queue.isAwaited]).toEqual([true, true]);
          await queue.letIn();
          expect([queue.hasGuests, queue.isAwaited]).toEqual([false, true]);
          order.push('last step');
          resolve();
        },
      });
    });
    queue.add(job('words', true));
    await ended;
    await new Promise((resolve) => setTimeout(resolve));
    expect(order).toEqual(['step', 'words', 'prediction', 'last step', 'open']);
  });

  it('stops waiting for tasks when it is aborted', async () => {
    const controller = new AbortController();
    const arrival = new TaskQueue().arrival(controller.signal);
    controller.abort();
    await arrival;
    await new TaskQueue().arrival(controller.signal);
  });
});

describe('steering', () => {
  it.each([
    ['play', 40],
    ['pause', 5],
    ['batch', 6],
    ['epoch', 8],
  ] as const)('%s goes from step 5 to before step %i, of four an epoch', (how, end) => {
    const steering = new Steering(4, how, 5);
    let step = 5;
    while (step < 40 && steering.allows(step)) step++;
    expect(step).toBe(end);
  });

  it('turns while a step is taken', () => {
    const steering = new Steering(4, 'play', 0);
    expect([steering.allows(0), steering.allows(1)]).toEqual([true, true]);
    steering.turn('pause');
    expect(steering.allows(2)).toBe(false);
    steering.turn('batch');
    expect([steering.allows(2), steering.allows(3)]).toEqual([true, false]);
    steering.turn('play');
    expect(steering.allows(3)).toBe(true);
  });
});

describe('names of runs', () => {
  const named = (options: ReturnType<typeof tuningOptions>, pictures = 'scenes') => ({ options, pictures });

  it('say what differs, and no more', () => {
    const slow = named(tuningOptions('official', { learningRate: 0.001, initNoise: 0.3 }));
    const plain = named(tuningOptions('official'));
    expect(runNames([slow, plain])).toEqual(['noise 0.3, lr 0.001', 'no noise, lr 0.01']);
    expect(runNames([slow])).toEqual(['official, both']);
  });

  it('leave to the preset what differs because of it', () => {
    const runs = [
      named(tuningOptions('paper', { batchSize: 16 })),
      named(tuningOptions('official', { batchSize: 16 })),
    ];
    expect(runNames(runs)).toEqual(['paper', 'official']);
  });

  it('name the pictures if they differ, and number runs that do not differ', () => {
    const options = tuningOptions('official');
    expect(runNames([named(options, 'fi'), named(options, 'scenes')])).toEqual([
      'official, both, fi',
      'official, both, scenes',
    ]);
    expect(runNames([named(options), named(options)])).toEqual(['official, both (1)', 'official, both (2)']);
  });
});
