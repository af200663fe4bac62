/** onnxruntime: node onnxruntime_matmul.mjs cpu|webgpu m k n [seconds] */
import ort from 'onnxruntime-node';
import { main, random, versionOf } from './matmul.mjs';

await main(`onnxruntime ${versionOf('onnxruntime-node')}`, async (backend, { m, k, n }) => {
  const session = await ort.InferenceSession.create(model(m, k, n), {
    executionProviders: [backend],
    logSeverityLevel: 4,
  });
  const a = new ort.Tensor('float32', random(m * k), [m, k]);
  return async () => {
    await session.run({ a });
  };
});

/**
 * An ONNX model of one MatMul whose second operand is a constant. The numbers are the fields of onnx.proto (ModelProto, GraphProto,
 * NodeProto, TensorProto, ValueInfoProto).
 */
function model(m, k, n) {
  const weight = Buffer.from(random(k * n).buffer);
  const node = [...text(1, 'a'), ...text(1, 'b'), ...text(2, 'out'), ...text(4, 'MatMul')];
  const initializer = Buffer.concat([
    Buffer.from([
      ...number(1, k),
      ...number(1, n),
      ...number(2, 1),
      ...text(8, 'b'),
      ...head(9, 2),
      ...varint(weight.length),
    ]),
    weight,
  ]);
  const graph = Buffer.concat([
    Buffer.from([...message(1, node), ...text(2, 'matmul'), ...head(5, 2), ...varint(initializer.length)]),
    initializer,
    Buffer.from([...message(11, valueInfo('a', [m, k])), ...message(12, valueInfo('out', [m, n]))]),
  ]);
  const opset = number(2, 17);
  return Buffer.concat([
    Buffer.from([...number(1, 8), ...head(7, 2), ...varint(graph.length)]),
    graph,
    Buffer.from(message(8, opset)),
  ]);
}

function valueInfo(name, shape) {
  const dimensions = shape.flatMap((size) => message(1, number(1, size)));
  const tensorType = [...number(1, 1), ...message(2, dimensions)];
  return [...text(1, name), ...message(2, message(1, tensorType))];
}

function message(field, bytes) {
  return [...head(field, 2), ...varint(bytes.length), ...bytes];
}

function text(field, value) {
  return message(field, [...Buffer.from(value)]);
}

function number(field, value) {
  return [...head(field, 0), ...varint(value)];
}

function head(field, wireType) {
  return varint((field << 3) | wireType);
}

function varint(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}
