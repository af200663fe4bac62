/** The site's links, and the check that a built site must pass. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { headingName, pagePath, siteLink, targetOf } from '../../docs/.vitepress/links.js';
import { sidebar } from '../../docs/.vitepress/sidebar.js';
import { copiedFiles, sourcePages } from '../../docs/.vitepress/sources.js';
import { kernelOfSnippet } from '../../docs/.vitepress/try-it.js';

const root = new URL('../..', import.meta.url).pathname;

describe('links of the pages', () => {
  it.each([
    ['ladder-matmul.md#1-naive', 'kernels/matmul.md', '/kernels/ladder-matmul.md#1-naive'],
    ['../webgpu-kernels.md', 'kernels/matmul.md', '/webgpu-kernels.md'],
    ['kernels/README.md', 'reading-guide.md', '/kernels/index.md'],
    ['../../shaders/matmul_naive.wgsl', 'kernels/matmul.md', '/source/shaders/matmul_naive.wgsl.md'],
    ['../src/tensor/tape.ts#L3-L9', 'reading-guide.md', '/source/src/tensor/tape.ts.md#L3'],
    ['../src/kernels/cpu/wasm/', 'reading-guide.md', '/source/src/kernels/cpu/wasm.md'],
    ['../README.md', 'reading-guide.md', '/source/README-md.md'],
    ['ladders/matmul-4-broadcasts.wgsl', 'kernels/x.md', '/source/docs/kernels/ladders/matmul-4-broadcasts.wgsl.md'],
    ['report-example.html', 'report.md', './report-example.html'],
    ['../report-example.html', 'kernels/matmul.md', '../report-example.html'],
    ['figures.json', 'kernels/README.md', '../kernels/figures.json'],
  ])('%s on %s leads to %s', (href, page, link) => {
    expect(siteLink(targetOf(href, page)!, page)).toBe(link);
  });

  it.each(['https://example.org/a.md', 'mailto:a@example.org', '#part', '/absolute'])('%s stays as it is', (href) => {
    expect(targetOf(href, 'reading-guide.md')).toBeUndefined();
  });

  it('names pages and headings as repository viewers do', () => {
    expect([pagePath('README.md'), pagePath('kernels/README.md'), pagePath('a/b.md')]).toEqual([
      'index.md',
      'kernels/index.md',
      'a/b.md',
    ]);
    expect(headingName('4. Four elements, `lane` by lane')).toBe('4-four-elements-lane-by-lane');
  });
});

describe('snippets of kernels', () => {
  it.each([
    ['src/kernels/families/compose.ts: export const composeGradWeights = > twin(: }', 'composeGradWeights'],
    ['shaders/matmul_tiled.wgsl: for (var p = 0u: workgroupBarrier', 'matmul'],
    ['docs/kernels/ladders/attention-2-online.wgsl: let larger: denominator', 'attention'],
    ['src/ptdpc/step.ts: export function slice', undefined],
    ['shaders/grid.wgsl: const LANES', undefined],
  ])('%s leads to %s', (block, kernel) => {
    expect(kernelOfSnippet(`<!-- begin code: ${block} -->`)).toBe(kernel);
  });

  it('other blocks lead nowhere', () => {
    expect(kernelOfSnippet('<!-- begin layout: affine -->')).toBeUndefined();
  });
});

describe('the sidebar', () => {
  type Item = (typeof sidebar)[number];
  const linksOf = ({ link, items = [] }: Item): string[] => [...(link ? [link] : []), ...items.flatMap(linksOf)];

  it('has every page once', () => {
    const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.md$/.test(name) && !/^(api|source|\.vitepress)\b/.test(name))
      .map((name) => `/${pagePath(name).replace(/(^|\/)index\.md$|\.md$/, '$1')}`)
      .filter((path) => path !== '/');
    const links = sidebar.flatMap(linksOf).filter((link) => !link.startsWith('/api/'));
    expect([...links].sort()).toEqual(pages.sort());
  });
});

describe('pages of source files', () => {
  const pages = new Map(sourcePages(root).map(({ path, content }) => [path, content]));

  it('show what is linked, and what lies in linked folders', () => {
    expect(pages.get('shaders/matmul_naive.wgsl')).toContain('```wgsl:line-numbers\n// First rung of the ladder');
    expect(pages.get('src/kernels/cpu/wasm')).toContain('- [`heap.ts`](/source/src/kernels/cpu/wasm/heap.ts.md)');
    expect(pages.get('src/kernels/cpu/wasm')).toContain('- `binaries.generated.ts`, too long or generated');
    expect(pages.has('src/kernels/cpu/wasm/heap.ts')).toBe(true);
  });

  it('a file with a fence of its own stands in a longer one', () => {
    const readme = pages.get('assets/demo-model/README.md')!;
    expect(readme).toMatch(/^# `assets\/demo-model\/README.md`\n\n(`{3,})md:line-numbers\n[\s\S]*\n\1\n$/);
  });

  it('data and whole pages are copied', () => {
    expect(copiedFiles(root)).toEqual(expect.arrayContaining(['report-example.html', 'kernels/figures.json']));
  });
});

describe('scripts/site/check.mjs', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  function check(files: Readonly<Record<string, string>>, ...options: string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'ptdpc-site-'));
    folders.push(folder);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const script = join(root, 'scripts/site/check.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder, ...options], { encoding: 'utf8' });
    return { status, faults: stderr.trim().split('\n').filter(Boolean), counts: stdout.trim() };
  }

  it('accepts links to pages, folders, parts and other sites', () => {
    const { status, counts, faults } = check({
      'index.html':
        '<a href="/a/b.html#part">b</a> <a href="a/">a</a> <a href="#top" id="top">top</a> <a href="https://example.org">x</a>' +
        '<link rel="stylesheet" href="/style.css"><link rel="canonical" href="https://example.org">',
      'a/index.html':
        '<a href="b.html">b</a><a href="../index.html">up</a><!-- <img src="https://example.org/x.png"> -->',
      'a/b.html': '<h2 id="part">part</h2><script>"<img src=https://example.org/x.png>"</script>',
      'style.css': 'a { background: url(data:image/png;base64,AA==) }',
    });
    expect({ status, counts, faults }).toEqual({ status: 0, counts: '3 pages, 5 links, 0 faults', faults: [] });
  });

  it.each([
    ['<a href="/gone.html">x</a>', 'index.html: /gone.html leads nowhere'],
    ['<a href="../outside.html">x</a>', 'index.html: ../outside.html leads nowhere'],
    ['<a href="#gone">x</a>', 'index.html: #gone: no such part on the page'],
    ['<img src="gone.png">', 'index.html: gone.png is not there'],
    [
      '<script src="https://cdn.example/x.js"></script>',
      'index.html: loads https://cdn.example/x.js from another server',
    ],
    ['<link rel="preload stylesheet" href="//cdn.example/x">', 'index.html: loads //cdn.example/x from another server'],
    ['<img srcset="https://cdn.example/x 2x">', 'index.html: loads https://cdn.example/x from another server'],
  ])('refuses %s', (html, fault) => {
    expect(check({ 'index.html': html })).toMatchObject({ status: 1, faults: [fault] });
  });

  it('refuses what a style sheet loads, and a folder without pages', () => {
    const style = '@import "https://fonts.example/x.css"; a { background: url(gone.png) }';
    expect(check({ 'index.html': '', 'a.css': style }).faults).toEqual([
      'a.css: loads https://fonts.example/x.css from another server',
      'a.css: gone.png is not there',
    ]);
    expect(check({ 'a.txt': '' })).toMatchObject({ status: 1 });
  });

  it('knows a site that lies below a path', () => {
    const files = { 'index.html': '<a href="/docs/a.html">a</a><a href="/a.html">a</a>', 'a.html': '' };
    expect(check(files, '--base', '/docs/').faults).toEqual(['index.html: /a.html leads nowhere']);
  });
});
