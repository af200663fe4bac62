/** The code of the task that certifies the browser's adapter, on devices of its own. */
import { kernelNamed, WebGpuBackend } from '../../../src/kernels/index.js';
import { openDevice } from '../../../src/kernels/webgpu/device.js';
import { certificateJson, certify, failureText, webGpuCeilings } from '../../../src/lab/index.js';
import { certificatePage } from '../../../src/report/certificate-page.js';
import { VERSION } from '../../../src/version.generated.js';
import type { Work } from '../tasks/task.js';
import { requireAdapter } from './lab-device.js';

export const certifyDevice: Work<'lab-certify'> = async ({ quick, kernel }, { signal, progress }) => {
  const subject = {
    host: { ptdpc: VERSION, browser: navigator.userAgent },
    open: async (tuning = {}) => WebGpuBackend.create(await requireAdapter(), { poison: true, tuning }),
    ceilings: async () => {
      const device = await openDevice(await requireAdapter());
      try {
        return await webGpuCeilings(device);
      } finally {
        device.destroy();
      }
    },
  };
  const certificate = await certify(subject, {
    quick,
    kernels: kernel === undefined ? undefined : [kernelNamed(kernel)],
    onStep: ({ stage, done, total, what }) => {
      signal.throwIfAborted();
      progress({ done, total, what: `certifying: ${stage}`, detail: what });
    },
  });
  return {
    device: certificate.device.description,
    failures: certificate.failures.map(failureText),
    cases: certificate.kernels.reduce((sum, { cases }) => sum + cases, 0),
    json: certificateJson(certificate),
    html: certificatePage(certificate),
  };
};
