import { describe, expect, it } from 'vitest';
import { DISTRIBUTION_MEASURE_NAMES, type DistributionScores, wilsonInterval } from '../../src/ptdpc/index.js';
import { STRONG_SHADE } from '../../src/report/drawing.js';
import { html, trusted } from '../../src/report/format.js';
import { comparisonReport, runReport } from '../../src/report/index.js';
import { STYLE } from '../../src/report/page/style.js';
import { comparedRun, HOSTILE_WORDS, sampleRun } from './support.js';

describe('html', () => {
  it('escapes values, and leaves markup of its own as it is', () => {
    const inner = html`<b>${'<&>"\''}</b>`;
    expect(html`<p title="${'"'}">${[inner, 1, null, false]}${trusted('<hr>')}</p>`.text).toBe(
      '<p title="&quot;"><b>&lt;&amp;&gt;&quot;&apos;</b>1<hr></p>',
    );
  });
});

describe('the page of a run', () => {
  const page = runReport(sampleRun(HOSTILE_WORDS));

  it('says where the images were not unseen', () => {
    expect(page).not.toContain('unseen');
    const run = sampleRun(['a', 'b']);
    expect(
      runReport({ ...run, evaluations: run.evaluations.map((one) => ({ ...one, seen: { train: 28, val: 3 } })) }),
    ).toContain(
      'Not a result on unseen images: of 100 test images, 28 were trained on and\n3 are validation images of the run.',
    );
  });

  it('is the same text each time', () => {
    expect(runReport(sampleRun(HOSTILE_WORDS))).toBe(page);
  });

  it('holds no markup that data brought along', () => {
    // Quotation marks of data are escaped, so what is left between two of them is a value.
    const bare = page.replace(/"[^"]*"/g, '""');
    const tags = [...bare.matchAll(/<(script|iframe|img|style|title|link|object)\b/g)].map(([, tag]) => tag);
    expect(tags).toEqual(['title', 'link', 'style', 'img', 'img']);
    expect(bare).not.toMatch(/<[^>]*\son\w+\s*=/);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('has drawings without scripts, style sheets or identifiers, in colours of the page', () => {
    const drawings = page.match(/<svg.*?<\/svg>/gs)!;
    expect(drawings).toHaveLength(6);
    for (const svg of drawings) {
      expect(svg).not.toMatch(/<script|<style|<a |\sid=|\bclass=|NaN|Infinity|undefined/);
      expect(
        [...svg.matchAll(/ (?:fill|stroke)="([^"]*)"/g)].filter(([, color]) => !/^(?:none|var\(--.*\))$/.test(color!)),
      ).toEqual([]);
    }
  });

  it('says for each drawing what it shows, and has its numbers', () => {
    expect(page.match(/role="img" aria-label="[^"]{20,}"/g)).toHaveLength(6);
    expect(page.match(/<details>/g)).toHaveLength(6);
    expect(page).toContain('from 1 to 0.25. Validation loss: from 1.5 to 0.375.');
  });

  it('lists confusions where there are too many classes to draw', () => {
    const many = runReport(sampleRun(Array.from({ length: 120 }, (_, c) => `class ${c}`)));
    expect(many).toContain('Most frequent confusions');
    expect(many.match(/<svg/g)).toHaveLength(4);
    // The first ones, and all of them to search in.
    expect(many).toContain('<summary>All 120 classes, to search in</summary>');
    expect(many).toContain('<th scope="row">class 119</th>');
    const [, worst = ''] = /aria-label="Metrics per class">(.*?)<\/table>/s.exec(many) ?? [];
    expect(worst.match(/<tr>/g)).toHaveLength(1 + 20);
    expect(many).not.toContain('Rows of the matrices');
  });

  it('has the interval of the accuracy over images, and the classes that measures say nothing of', () => {
    const run = sampleRun(['awe', 'fear', 'joy']);
    const { count, accuracy } = run.evaluations[0]!;
    const [low, high] = wilsonInterval(accuracy, count).map((share) => `${(100 * share).toFixed(1)}\u00a0%`);
    expect(runReport(run)).toContain(`95 % interval ${low} to ${high}</dt>`);
    expect(runReport(run)).toContain('macro-F1 of 3 classes</dt>');
    expect(runReport(run)).toContain('balanced accuracy of 3 classes</dt>');
    const { classes, pairs } = run.evaluations[0]!.confusionPairs;
    const others = { classes, pairs: pairs.filter(([actual]) => actual !== 1) };
    const without = runReport({ ...run, evaluations: [{ ...run.evaluations[0]!, confusionPairs: others }] });
    expect(without).toContain('macro-F1 of 2 classes; no images of fear</dt>');
    expect(without).toContain('expected calibration error; no images of fear</dt>');
  });

  it('has the measures of label distributions where people voted, beside those of zero-shot', () => {
    const scores = (value: number) =>
      Object.fromEntries(DISTRIBUTION_MEASURE_NAMES.map((name) => [name, value])) as DistributionScores;
    const run = comparedRun(['awe', 'joy'], 5, 20);
    const [evaluation] = run.evaluations;
    expect(runReport(run)).not.toContain('Label distributions');
    const zeroShot = { ...evaluation!.zeroShot!, distribution: scores(0.25) };
    const meanShares = { votes: [0.25, 0.75], predicted: [0.4, 0.6] };
    const page = runReport({
      ...run,
      evaluations: [{ ...evaluation!, distribution: scores(0.125), meanShares, zeroShot }],
    });
    expect(page).toMatch(/Most above its votes: awe \+15\.0; most below: joy [-−]15\.0\./);
    const [, table = ''] = /aria-label="Measures of label distributions">(.*?)<\/table>/s.exec(page) ?? [];
    expect(table).toMatch(
      /zero-shot.*tuned prompts.*Sørensen distance, Σ \|d − p\| \/ Σ \(d \+ p\).*0\.25.*0\.125.*lower/s,
    );
  });

  it('shows every evaluation, each under its data set and split, in a page whose anchors are distinct', () => {
    const run = sampleRun(['a', 'b']);
    const [own] = run.evaluations;
    const page = runReport({ ...run, evaluations: [own!, { ...own!, dataset: 'emoset8', split: 'val', epochs: 2 }] });
    expect(page).toContain('Results: fi8, test');
    expect(page).toContain('Pictures: emoset8, val');
    expect(page).toContain('accuracy on 100 test images of fi8');
    expect(page).toContain('Evaluated after 2 epochs; the run has 4 now.');
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('stands without evaluation and without a finished epoch', () => {
    const young = runReport({ ...sampleRun(['a', 'b']), evaluations: [], learning: null });
    expect(young).toContain('Not evaluated yet');
    expect(young).not.toContain('<svg');
  });
});

describe('whether tuning was worth it', () => {
  const words = ['awe', 'fear', 'joy'];
  const plain = (page: string) => page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

  it.each([
    [10, 30, 'Yes: on these images, tuning raises the accuracy by 20.0 points (95 % interval +'],
    [30, 10, 'No: on these images, tuning lowers the accuracy by 20.0 points (95 % interval −'],
    [
      10,
      12,
      'Not shown: on these images, tuned prompts and zero-shot differ no more than chance may have it: +2.0 points',
    ],
  ])('stands first: %i images only zero-shot, %i only the prompts', (onlyBefore, onlyAfter, verdict) => {
    const page = runReport(comparedRun(words, onlyBefore, onlyAfter));
    expect(plain(page)).toContain(verdict);
    expect(page.indexOf('id="worth"')).toBeLessThan(page.indexOf('id="results"'));
    expect(plain(page)).toContain(
      `Only the tuned prompts are right about ${onlyAfter}, only zero-shot about ${onlyBefore};`,
    );
  });

  it('has both accuracies, the difference, and the classes by what changed', () => {
    const page = runReport(comparedRun(words, 10, 30));
    const figures = [...page.matchAll(/<dd>([^<]*)<\/dd>/g)].map(([, figure]) => figure);
    expect(figures).toEqual(['50.0\u00a0%', '70.0\u00a0%', '+20.0']);
    expect(page).toContain('zero-shot, “&lt;script&gt;alert(1)&lt;/script&gt; …”: accuracy');
    const [, numbers = ''] = /aria-label="Accuracy of each class, zero-shot and tuned prompts">(.*?)<\/table>/s.exec(
      page,
    )!;
    expect(numbers).toContain('<th scope="row">all images</th><td>100</td><td>50.0</td><td>70.0</td><td>+20.0</td>');
    expect(numbers.match(/<tr>/g)).toHaveLength(1 + 1 + words.length);
    // A diagram of its own for each, with the number of images of every group; few images are told apart.
    for (const title of ['Calibration of the tuned prompts', 'Calibration of zero-shot']) expect(page).toContain(title);
    expect(page.match(/fewer than 10 images/g)).toHaveLength(1);
    expect(page).toMatch(/>96<\/text>/);
  });

  it('says how to compare a run that is not, and nothing of it where nothing was tuned', () => {
    const run = sampleRun(words);
    expect(plain(runReport(run))).toContain(
      'Not compared with CLIP without training: npx ptdpc eval --run … evaluates both',
    );
    const zeroShot = { ...run, learning: null, method: { learner: 'zero-shot', templates: ['a photo of'] } as const };
    expect(runReport(zeroShot)).not.toContain('worth');
  });

  it('has the day and the command where they are known', () => {
    const made = { date: new Date('2026-03-09T23:30:00Z'), command: 'npx ptdpc report --run "<a>"' };
    const page = runReport(sampleRun(words), [], made);
    expect(page).toContain(
      '<time datetime="2026-03-09">9 March 2026</time> · <code>npx ptdpc report --run &quot;&lt;a&gt;&quot;</code>',
    );
  });
});

describe('runs compared', () => {
  const words = ['awe', 'fear', 'joy'];
  const runs = [comparedRun(words, 0, 30, 'a'), comparedRun(words, 0, 20, 'b'), comparedRun(words, 0, 24, 'c')];
  const rowsOf = (page: string) => {
    const [, pairs = ''] = /aria-label="Pairs of runs compared image by image">(.*?)<\/table>/s.exec(page)!;
    return [...pairs.matchAll(/<tr>(.*?)<\/tr>/gs)]
      .slice(1)
      .map(([, row]) => [...row!.matchAll(/<t[hd][^>]*>([^<]*)</g)].map(([, cell]) => cell!.replaceAll('\u00a0', ' ')));
  };

  it('tests every pair image by image, corrected for their number', () => {
    const rows = rowsOf(comparisonReport(runs, '0'));
    // Of 10 images only the first gets right, 2 / 2^10; of 6, 2 / 2^6; of 4, 2 / 2^4. Holm: times 3, 2 and 1.
    expect(rows.map(([pair, difference, , ...rest]) => [pair, difference, ...rest])).toEqual([
      ['a → b', '−10.0', '10', '0', '0.002', '0.0059'],
      ['a → c', '−6.0', '6', '0', '0.031', '0.063'],
      ['b → c', '+4.0', '0', '4', '0.13', '0.13'],
    ]);
  });

  it('draws the curves of all in one chart, told apart by dashes and marks as well as by colours', () => {
    const page = comparisonReport(runs, '0');
    const chart = page.slice(page.indexOf('Validation accuracy (%)')).match(/<svg.*?<\/svg>/s)![0];
    const dashes = [...chart.matchAll(/<path[^>]*stroke="var\(--series-\d\)"[^>]*>/g)].map(
      ([path]) => / stroke-dasharray="([^"]*)"/.exec(path)?.[1] ?? 'solid',
    );
    expect(new Set(dashes).size).toBe(3);
    expect(page).toContain('<i class="line second"></i>b');
  });

  it('of two runs, shows the classes as a run does beside zero-shot; of one, no pair', () => {
    expect(comparisonReport(runs.slice(0, 2), '0')).toContain('aria-label="Accuracy of each class, a and b"');
    expect(comparisonReport(runs.slice(0, 2), '0')).not.toContain('by Holm');
    expect(comparisonReport(runs.slice(0, 1), '0')).not.toContain('Pairs of runs');
  });
});

describe('the style sheet', () => {
  const schemes = STYLE.split('@media screen and (prefers-color-scheme: dark)').slice(0, 2);

  it.each([
    ['light', schemes[0]!],
    ['dark', schemes[1]!],
  ])('has legible figures on every shade of a heat map: %s', (_, text) => {
    const color = (name: string) => rgb(new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(text)![1]!);
    for (const heat of ['heat', 'heat-below']) {
      for (let shade = 0; shade <= 1; shade += 0.01) {
        const cell = color('paper').map((paper, i) => paper * (1 - shade) + color(heat)[i]! * shade);
        const ink = color(shade >= STRONG_SHADE ? 'heat-strong-ink' : 'heat-ink');
        expect(contrast(cell, ink), `${heat} at ${shade}`).toBeGreaterThan(3.9);
      }
    }
  });
});

const rgb = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/** Contrast ratio of WCAG 2. */
function contrast(a: number[], b: number[]): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: number[]): number {
  const [r, g, b] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
