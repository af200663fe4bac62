/** Which sizes are timed, and which ones the two jobs really use. */
import type { LabKernelReport, LabShapes } from '../../protocol-lab.js';
import { DataTable } from '../data-table.js';
import { counted } from '../format.js';

interface ShapeFieldProps {
  readonly kernel: LabKernelReport;
  readonly shapes: LabShapes | undefined;
  /** Empty: the usual sizes. */
  readonly shape: string;
  readonly onShape: (shape: string) => void;
}

export function ShapeField({ kernel, shapes, shape, onShape }: ShapeFieldProps) {
  const { extents, options } = kernel;
  const usual = textOf(extents);
  const real = realShapes(kernel.kernel, shapes).filter(({ shape }) =>
    namesOf(shape).every((name) => name in extents || name in options),
  );
  const chosen = shape === '' ? 'usual' : real.some((one) => one.shape === shape) ? shape : 'own';
  return (
    <p class="field lab-shape">
      <label for="lab-shape">Sizes to time</label>
      <select
        aria-label="Sizes that embedding and training use"
        value={chosen}
        onChange={({ currentTarget: { value } }) => {
          if (value !== 'own') onShape(value === 'usual' ? '' : value);
        }}
      >
        <option value="usual">usual</option>
        {real.map(({ job, shape, calls }) => (
          <option key={`${job} ${shape}`} value={shape}>
            {`${job}, ${counted(calls, 'call')}: ${shape}`}
          </option>
        ))}
        <option value="own" disabled>
          my own
        </option>
      </select>
      <input
        id="lab-shape"
        spellcheck={false}
        autocomplete="off"
        value={shape}
        placeholder={usual}
        aria-describedby="lab-options"
        onInput={({ currentTarget }) => onShape(currentTarget.value)}
      />
      <small id="lab-options" class="muted">
        {usual}
        {Object.keys(options).length > 0 && `, and options: ${textOf(options)}`}
      </small>
    </p>
  );
}

/** The shapes of a kernel that the two jobs use, with their cost. */
export function RealShapes({ kernel, shapes }: { readonly kernel: string; readonly shapes: LabShapes | undefined }) {
  if (!shapes) return null;
  const real = realShapes(kernel, shapes);
  return (
    <section class="block lab-shapes" aria-labelledby="lab-real">
      <h2 id="lab-real">Shapes of {kernel} in encoding and training</h2>
      <p class="note">
        {Object.entries(shapes.jobs)
          .map(([job, what]) => `${job}: ${what}`)
          .join('; ')}
        .
      </p>
      {real.length === 0 ? (
        <p>Neither uses this kernel.</p>
      ) : (
        <DataTable
          label={`Shapes of ${kernel} in embedding and training`}
          head={['shape', 'job', 'calls', 'MFLOP a call', 'MB a call']}
          rows={real.map(({ job, shape, calls, cost }) => [
            <code key="shape">{shape}</code>,
            job,
            calls,
            cost.flops === 0 ? '' : (cost.flops / 1e6).toFixed(2),
            (cost.bytes / 1e6).toFixed(2),
          ])}
        />
      )}
    </section>
  );
}

function realShapes(kernel: string, shapes: LabShapes | undefined) {
  return shapes?.shapes.filter((one) => one.kernel === kernel) ?? [];
}

function namesOf(shape: string): string[] {
  return shape.split(',').map((part) => part.slice(0, part.indexOf('=')));
}

function textOf(sizes: Readonly<Record<string, number>>): string {
  return Object.entries(sizes)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
