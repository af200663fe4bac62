/**
 * A kernel of your own in a few lines: softplus with a sharpness, in WGSL for WebGPU and as its twin for the CPU, and a gradient for the tape.
 *
 *     npm run example -- own-kernel
 */
import { pathToFileURL } from 'node:url';
import { type Backend, CpuBackend, checkGradient, Engine, reads, type Tensor, writes } from 'ptdpc';

/** An element for each invocation; `formula` may use `i` and the buffers. */
const wgsl = (buffers: string, formula: string) => `
// #include "grid.wgsl"

struct Params { length: u32, beta: f32 }

@group(0) @binding(0) var<uniform> params: Params;
${buffers}

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let i = element_number(grid, lane);
  if (i < params.length) {
    ${formula}
  }
}
`;

/** Both kernels as functions of tensors. Shapes are checked, and outputs allocated, by what the operands say. */
function kernelsOn(engine: Engine) {
  return {
    softplus: engine.kernel({
      name: 'softplus',
      wgsl: wgsl(
        `@group(0) @binding(1) var<storage, read> x: array<f32>;
         @group(0) @binding(2) var<storage, read_write> out: array<f32>;`,
        'out[i] = log(1.0 + exp(params.beta * x[i])) / params.beta;',
      ),
      operands: { x: reads('...length'), out: writes('...length') },
      scalars: { beta: 1 },
      twin({ x, out, length, beta }) {
        for (let i = 0; i < length; i++) out[i] = Math.log(1 + Math.exp(beta * x[i]!)) / beta;
      },
    }),
    softplusGrad: engine.kernel({
      name: 'softplusGrad',
      wgsl: wgsl(
        `@group(0) @binding(1) var<storage, read> x: array<f32>;
         @group(0) @binding(2) var<storage, read> grad_out: array<f32>;
         @group(0) @binding(3) var<storage, read_write> grad_x: array<f32>;`,
        'grad_x[i] = grad_out[i] / (1.0 + exp(-params.beta * x[i]));',
      ),
      operands: { x: reads('...length'), gradOut: reads('...length'), gradX: writes('...length') },
      scalars: { beta: 1 },
      twin({ x, gradOut, gradX, length, beta }) {
        for (let i = 0; i < length; i++) gradX[i] = gradOut[i]! / (1 + Math.exp(-beta * x[i]!));
      },
    }),
  };
}

/** log(1 + exp(beta x)) / beta, differentiable. */
function softplus(x: Tensor, beta: number): Tensor {
  const { engine } = x;
  const own = kernelsOn(engine);
  const { out } = own.softplus({ x, beta });
  engine.record(out, [x], { x }, (gradOut, saved, { give }) => {
    give(0, () => own.softplusGrad({ x: saved.x, gradOut, beta }).gradX);
  });
  return out;
}

/** Softplus of some numbers on `backend`, and whether its gradient is right. */
export async function ownKernel(backend: Backend) {
  const engine = new Engine(backend);
  using x = engine.tensor([-2, 0, 2, 4], [2, 2]);
  using out = softplus(x, 2);
  const values = await out.read();
  return { shape: out.shape, values, gradient: await checkGradient((x) => softplus(x!, 2), [[3, 5]], { engine }) };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { shape, values, gradient } = await ownKernel(new CpuBackend());
  console.log(`softplus [${shape.join(', ')}]: ${Array.from(values, (value) => value.toFixed(4)).join(' ')}`);
  console.log(`gradient ${gradient.passed ? 'right' : 'WRONG'}`);
}
