/** Work on a device that is lost under it. */
import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { type Backend, DeviceError, DeviceLostError } from '../../src/kernels/index.js';
import { onDevice } from '../../src/node/device.js';

const lost = new DeviceLostError('lost');

/** Devices that are nothing but their descriptions; an error stands for one that cannot be opened. */
function devices(...descriptions: (string | Error)[]) {
  const closed: string[] = [];
  const said: string[] = [];
  const open = async () => {
    const description = descriptions.shift()!;
    if (description instanceof Error) throw description;
    return {
      backend: { description } as Backend,
      reason: '',
      [Symbol.dispose]: () => void closed.push(description),
    };
  };
  return { open, closed, said, events: { say: (line: string) => void said.push(line) } };
}

/** Work that fails as often as there are errors, then counts its calls. */
function work(...errors: Error[]) {
  let calls = 0;
  return async () => {
    calls++;
    const error = errors.shift();
    if (error) throw error;
    return calls;
  };
}

test('a device that holds is opened once and closed', async () => {
  const { open, events, closed, said } = devices('a');
  expect(await onDevice(open, events, work())).toBe(1);
  expect([closed, said]).toEqual([['a'], []]);
});

test('a lost one is closed before the next is opened, and the work done again', async () => {
  const { open, events, closed, said } = devices('a', 'a');
  const opened = () => {
    expect(closed.length).toBe(said.length);
    return open();
  };
  expect(await onDevice(opened, events, work(lost))).toBe(2);
  expect([closed, said]).toEqual([['a', 'a'], ['lost; opening it again']]);
});

test('a second loss is the end', async () => {
  const { open, events, closed } = devices('a', 'a', 'a');
  await expect(onDevice(open, events, work(lost, new DeviceLostError('lost twice')))).rejects.toThrow('lost twice');
  expect(closed).toEqual(['a', 'a']);
});

test('another device cannot resume the work, nor can none', async () => {
  const other = devices('a', 'b');
  await expect(onDevice(other.open, other.events, work(lost))).rejects.toThrow(/^lost, and now there is another: b$/);
  expect(other.closed).toEqual(['a', 'b']);
  const none = devices('a', new InputError('no adapter'));
  const failure = onDevice(none.open, none.events, work(lost));
  await expect(failure).rejects.toThrow(/^lost, and no other could be opened: no adapter$/);
  await expect(failure).rejects.toBeInstanceOf(DeviceLostError);
});

test.each([new DeviceError('refused'), new InputError('no image'), new Error('a defect')])(
  '%s is not tried again',
  async (error) => {
    const { open, events, closed } = devices('a', 'a');
    await expect(onDevice(open, events, work(error))).rejects.toBe(error);
    expect(closed).toEqual(['a']);
  },
);
