/** The results of portable.ts as Markdown, to be read or attached to an issue. Parts that were not run are left out. */

type Row = Readonly<Record<string, unknown>>;

const HEADINGS: Readonly<Record<string, string>> = {
  certify: 'ptdpc certify --quick; certificate.json and certificate.html have all of it',
  autotune: 'Variants by class of work, GFLOP/s',
  matmul: 'Matrix products, GFLOP/s',
  encode: 'Encoding images with ViT-B/32, images/s by batch',
  train: 'Training steps of PT-DPC, ViT-B/32, 8 classes, images/s by batch',
  attention: 'Encoding and training with each variant of attention, images/s',
  profile: 'Where the time goes',
  pytorch: 'PyTorch with CUDA beside it, single precision',
};

/** `results` as portable.ts writes them. */
export function resultsPage(results: Row): string {
  const { ptdpc, node, date } = results;
  const certified = record(results.certify);
  const features = (certified.features as string[] | undefined) ?? [];
  const lines = [
    `# ptdpc ${text(ptdpc)} on ${text(certified.device ?? certified.failed)}`,
    '',
    `${text(date)}, Node ${text(node)}. Features: ${features.join(', ')}.`,
  ];
  for (const [part, heading] of Object.entries(HEADINGS)) {
    if (!(part in results)) continue;
    const { seconds, ...result } = record(results[part]);
    lines.push('', `## ${heading}`, '', ...section(part, result), '', `(${text(seconds)} s)`);
  }
  return `${lines.join('\n')}\n`;
}

function section(part: string, result: Row): string[] {
  if ('failed' in result) return [`failed: ${text(result.failed)}`];
  if ('skipped' in result) return [`skipped: ${text(result.skipped)}`];
  switch (part) {
    case 'autotune':
      return table(Object.entries(record(result.table)).map(([work, rates]) => ({ work, ...record(rates) })));
    case 'matmul':
      return table(result.rows as Row[]);
    case 'attention':
      return table(Object.entries(record(result.rows)).map(([variant, rates]) => ({ variant, ...record(rates) })));
    case 'encode':
    case 'train':
      return table(
        Object.entries(result)
          .filter(([name]) => name !== 'unit')
          .map(([variants, rates]) => ({ variants, ...record(rates) })),
      );
    case 'profile':
      return Object.entries(result).flatMap(([job, profile]) => {
        const { kernels, wallMs, dispatches, submits } = record(profile);
        const head = `${job}: ${text(wallMs)} ms with timestamps, ${text(dispatches)} dispatches, ${text(submits)} submits`;
        return [head, '', ...table(kernels as Row[]), ''];
      });
    case 'pytorch':
      return table(
        Object.entries(result).flatMap(([what, runs]) =>
          (runs as Row[][])
            .flat()
            .map(({ work, batch, value, unit, peer }) => ({ what: work ?? what, batch, value, unit, peer })),
        ),
      );
    default:
      return Object.entries(result).map(([name, value]) => `- ${name}: ${text(value)}`);
  }
}

/** The columns are all names that occur in any row. */
function table(rows: readonly Row[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((name) => text(row[name])))),
  ];
}

function record(value: unknown): Row {
  return typeof value === 'object' && value !== null ? (value as Row) : {};
}

function text(value: unknown): string {
  return value === undefined ? '' : String(value);
}
