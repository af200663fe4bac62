/** What a model is, and what it takes. */
import type { ModelPlan } from '../../protocol-model.js';
import { counted } from '../format.js';

export interface PlanProps {
  readonly plan: ModelPlan;
  readonly disabled: boolean;
  readonly onLoad: () => void;
}

export function Plan({ plan, disabled, onLoad }: PlanProps) {
  const { name, files, stored, weights, activations, largest, room, refused } = plan;
  const onDisk = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const shards = files.filter(({ name }) => !name.endsWith('.json'));
  return (
    <div class="plan">
      <h3>{name}</h3>
      <dl>
        <dt>Image tower</dt>
        <dd>{imageTower(plan)}</dd>
        <dt>Pictures</dt>
        <dd>{plan.pictures}</dd>
        <dt>Text tower</dt>
        <dd>{textTower(plan)}</dd>
        <dt>On disk</dt>
        <dd>
          {shards.length === 1 ? shards[0]!.name : counted(shards.length, 'shard')}, {mebibytes(onDisk)}, stored as{' '}
          {stored}
        </dd>
        <dt>Memory for weights</dt>
        <dd>{mebibytes(weights)} at most</dd>
        <dt>Memory to work in</dt>
        <dd>{mebibytes(activations)} at most</dd>
        <dt>Largest piece</dt>
        <dd>
          {mebibytes(largest.bytes)}
          {room.buffer && `; ${room.buffer.source.replace('its', "the device's")} is ${mebibytes(room.buffer.bytes)}`}
        </dd>
        <dt>Device</dt>
        <dd>
          {room.device}
          {room.total
            ? `: ${room.total.source} is ${mebibytes(room.total.bytes)}`
            : ': browsers do not say how much memory it has'}
        </dd>
      </dl>
      {refused === null ? (
        <p class="field">
          <button type="button" class="main" disabled={disabled} onClick={onLoad}>
            Load {mebibytes(weights)}
          </button>
        </p>
      ) : (
        <p role="alert" class="error">
          {refused}
        </p>
      )}
    </div>
  );
}

function imageTower({ config: { vision, projectionDim } }: ModelPlan): string {
  const { layers, width, heads, patchSize, imageSize } = vision;
  return `${counted(layers, 'layer')} of width ${width}, ${counted(heads, 'head')}; patches of ${patchSize} in pictures of ${imageSize} pixels; features of ${projectionDim}`;
}

function textTower({ config: { text, activation } }: ModelPlan): string {
  const { layers, width, heads, context, vocabularySize } = text;
  return `${counted(layers, 'layer')} of width ${width}, ${counted(heads, 'head')}; ${context} tokens of ${vocabularySize}; ${activation}`;
}

function mebibytes(bytes: number): string {
  const value = bytes / 2 ** 20;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}\u00a0MiB`;
}
