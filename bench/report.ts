/** The results as a table for people. */
import type { PeerResult, Result } from './benchmark.js';

const HEAD = ['work', 'device', 'median', 'min-max', 'unit', 'GFLOP/s', 'of ceiling', 'best peer', 'ratio'];

export function resultTable(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { work, device, ours, unit, spread, gflops, ceiling, peer, peerName, ratio } = result;
    return [
      work,
      device,
      rate(ours),
      spread.map(rate).join('-'),
      unit,
      gflops === null ? '' : rate(gflops),
      ceiling === null ? '' : `${Math.round((100 * ours) / ceiling)} %`,
      peer === null ? '' : `${peerName} ${rate(peer)}`,
      ratio === null ? '' : ratio.toFixed(2),
    ];
  });
  return aligned([HEAD, ...rows]);
}

/** Below the table: what a row has no room for. */
export function resultNotes(results: readonly Result[]): string {
  const lines: string[] = [];
  for (const { work, device, notes } of results) if (notes) lines.push(`${work}, ${device}: ${notes}`);
  const works = new Map(results.map((result) => [`${result.work} (${result.unit})${kind(result)}`, result.peers]));
  for (const [work, peers] of works) if (peers.length > 1) lines.push(`peers, ${work}: ${peerList(peers)}`);
  return lines.join('\n');
}

function kind({ device }: Result): string {
  return ` on ${device.split(',')[0]}`;
}

function peerList(peers: readonly PeerResult[]): string {
  return peers.map(({ name, value, recorded }) => `${name} ${rate(value)}${recorded ? ' (recorded)' : ''}`).join('; ');
}

/** Three digits. */
function rate(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Columns padded to a common width. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
