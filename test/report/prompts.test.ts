import { expect, it } from 'vitest';
import { promptsSection, runReport } from '../../src/report/index.js';
import { HOSTILE_WORDS, samplePrompts, sampleRun } from './support.js';

const pageOf = (classes: readonly string[], equal = false) =>
  runReport(sampleRun(classes), [promptsSection(samplePrompts(classes, equal))]);

it('shows the words of every class, and a heat map of class by token for each picture', () => {
  const page = pageOf(['awe', 'fear', 'joy']);
  for (const word of ['awe', 'fear', 'joy']) expect(page).toContain(`<summary>Nearest words: ${word}</summary>`);
  expect(page.match(/<svg/g)).toHaveLength(6 + 2);
  // Nine cells each, those below zero in the other hue, the largest at full strength.
  const map = page.match(/<svg.*?<\/svg>/gs)!.at(-1)!;
  expect(map.match(/fill="var\(--heat\)"/g)).toHaveLength(5);
  expect(map.match(/fill="var\(--heat-below\)"[^>]*fill-opacity="0\.5"|fill="var\(--heat-below\)"/g)).toHaveLength(4);
  expect(page).toMatch(/aria-label="Weights of .*, 3 × 3: largest a \(awe\) 0\.40, smallest .* \(awe\) −0\.20\."/);
  expect(page).toContain('<td>0.4000</td>');
});

it('has one table and one row where all classes have equal tokens', () => {
  const page = pageOf(['awe', 'fear'], true);
  expect(page).toContain('<h3>Nearest words: all classes</h3>');
  expect(page).toContain('1 × 3: largest a (all classes) 0.40');
  expect(page).not.toContain('Nearest words: awe');
});

it('leaves out weights where there are none, and words of more classes than can be looked at', () => {
  const classes = Array.from({ length: 40 }, (_, c) => `class ${c}`);
  const { words, pictures } = samplePrompts(classes);
  const bare = pictures.map((one) => ({ ...one, explanation: { ...one.explanation, weights: null } }));
  const page = runReport(sampleRun(['a', 'b']), [promptsSection({ words, pictures: bare })]);
  expect(page).not.toContain('Weights of images');
  expect(page).toContain('And 16 more classes.');
});

it('shows what data brings along as words', () => {
  const bare = pageOf(HOSTILE_WORDS).replace(/"[^"]*"/g, '""');
  expect(bare).not.toMatch(/<(?:script|iframe)|<[^>]*\son\w+\s*=/);
});
