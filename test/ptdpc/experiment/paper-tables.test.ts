/** The quoted figures agree with each other and with what the paper says about them. */
import { expect, test } from 'vitest';
import {
  FIGURE_5,
  PAPER_SETTINGS,
  PAPER_TEMPLATES,
  paperFigure,
  type Row,
  TABLE_1,
  TABLE_2,
  TABLE_3,
  TABLE_4,
} from '../../../src/ptdpc/experiment/paper-tables.js';
import { sampleStd } from '../../../src/ptdpc/experiment/statistics.js';
import { MODES, PRESETS } from '../../../src/ptdpc/index.js';

test('PT-DPC is the same row in all tables, and its template that of the preset', () => {
  for (const row of [TABLE_2.both, TABLE_3.rows[0], TABLE_4.ours]) expect(row).toEqual(TABLE_1.ours);
  expect(PAPER_TEMPLATES[0]).toBe(PRESETS.paper.template);
});

test("Table 3's last row is the sample standard deviation of its rows, but for its last cell", () => {
  const std = PAPER_SETTINGS.map((_, column) => sampleStd(TABLE_3.rows.map((row) => row[column]!))!);
  expect(std.slice(0, -1).map((value) => value.toFixed(4))).toEqual(
    TABLE_3.std.slice(0, -1).map((value) => value.toFixed(4)),
  );
  expect(TABLE_3.std.at(-1)).toBe(0.0005);
  expect(std.at(-1)?.toFixed(4)).toBe('0.0084');
});

test('the gains that section 5.3 states follow from Table 1', () => {
  const best = TABLE_1.others.at(-1)!.row;
  const gain = (setting: string) => (paperFigure(TABLE_1.ours, setting)! - paperFigure(best, setting)!) * 100;
  expect(gain('emotionroi6')).toBeCloseTo(9.29, 9);
  expect(gain('fi2')).toBeCloseTo(2.92, 9);
  expect(gain('twitter2')).toBeCloseTo(-0.18, 9);
});

test('class-specific prompts help on all but one of the data sets, as section 5.4 says', () => {
  const worse = PAPER_SETTINGS.filter((_, column) => TABLE_2.cs[column]! < TABLE_2.none[column]!);
  expect(worse).toEqual(['emotionroi2']);
});

test("the authors' own figures of EmotionROI and Twitter are whole numbers of images of one test split, the quoted ones are not", () => {
  const images = { emotionroi6: 594, emotionroi2: 594, twitter1: 254, twitter2: 120 };
  const whole = (row: Row) =>
    Object.entries(images).map(([setting, count]) => {
      const share = paperFigure(row, setting)!;
      return Math.abs(Math.round(share * count) / count - share) < 1e-4;
    });
  const { clipVit, clip } = TABLE_4;
  const { DeiT: deit, BEiT: beit, ...convolutional } = TABLE_4.encoders;
  for (const row of [...MODES.map((mode) => TABLE_2[mode]), ...TABLE_3.rows, clipVit, clip, deit.row, beit.row]) {
    expect(whole(row), String(row)).toEqual([true, true, true, true]);
  }
  const quoted = [...TABLE_1.others, ...Object.values(convolutional)];
  for (const { label, row } of quoted) expect(whole(row), label).toContain(false);
});

test('a setting that is not the paper has no figure', () => {
  expect(paperFigure(TABLE_1.ours, 'scenes8')).toBeUndefined();
  expect(FIGURE_5.map(({ setting }) => paperFigure(TABLE_1.ours, setting))).toEqual([0.7807, 0.697, 0.9094, 0.825]);
});
