/** Certify this device: the whole suite and its measures, as two files to keep or to attach to an issue. */
import { useState } from 'preact/hooks';
import type { LabAdapter, LabCertificate } from '../../protocol-lab.js';
import { counted } from '../format.js';
import { saveFile } from '../save-file.js';
import { TaskLine } from '../task-line.js';
import { useCertificate } from './use-lab.js';

/** Failures shown; the files have all. */
const FAILURES_SHOWN = 5;

interface CertificateProps {
  readonly adapter: LabAdapter;
  /** The chosen one. */
  readonly kernel: string;
}

export function Certificate({ adapter, kernel }: CertificateProps) {
  const { task, certificate, certify } = useCertificate();
  const [full, setFull] = useState(false);
  const [alone, setAlone] = useState(false);
  const start = () => certify({ quick: !full, kernel: alone ? kernel : undefined });
  return (
    <section class="block" aria-labelledby="lab-certificate">
      <h2 id="lab-certificate">Certify this device</h2>
      <p>
        Holds every kernel in every variant against its definition, encoding and training against stored numbers,
        everything twice, and measures rates, as <code>ptdpc certify</code> does. Attach the result to an issue about a
        device; it is sent nowhere.{' '}
        {adapter.software
          ? 'A software adapter takes minutes, and in full a quarter of an hour or more.'
          : 'It takes about a minute, in full some minutes.'}
      </p>
      <div class="field">
        <button type="button" disabled={task.running} onClick={start}>
          Certify this device
        </button>
        <label class="check">
          <input type="checkbox" checked={full} onChange={({ currentTarget }) => setFull(currentTarget.checked)} />
          in full
        </label>
        <label class="check">
          <input type="checkbox" checked={alone} onChange={({ currentTarget }) => setAlone(currentTarget.checked)} />
          of the kernels, {kernel} only
        </label>
      </div>
      <TaskLine task={task} />
      <div role="status">{certificate && <Result certificate={certificate} />}</div>
    </section>
  );
}

function Result({ certificate: { device, failures, cases, json, html } }: { readonly certificate: LabCertificate }) {
  const save = (name: string, text: string) => saveFile(name, new TextEncoder().encode(text));
  return (
    <>
      <h3 class={`certified ${failures.length === 0 ? 'right' : 'wrong'}`}>
        {failures.length === 0
          ? `Right on ${counted(cases, 'case')}`
          : `Not right: ${counted(failures.length, 'failure')}`}
      </h3>
      <p class="note">{device}</p>
      {failures.length > 0 && (
        <ul class="messages">
          {failures.slice(0, FAILURES_SHOWN).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      <div class="field">
        <button type="button" onClick={() => save('certificate.json', json)}>
          Save certificate.json
        </button>
        <button type="button" onClick={() => save('certificate.html', html)}>
          Save certificate.html
        </button>
      </div>
    </>
  );
}
