/** Everything outside the command line and the Node edge bundles for a browser, and imports run one way only. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const src = new URL('../../src/', import.meta.url).pathname;
const NODE_FOLDERS = ['cli', 'node'];

async function sources(): Promise<string[]> {
  const names = await readdir(src, { recursive: true });
  return names.filter((name) => name.endsWith('.ts') && !name.includes('/assembly/')).sort();
}

describe('browser bundle', () => {
  it('takes every module outside cli/ and node/, without a node: import or a Node global', async () => {
    const files = (await sources()).filter((name) => !NODE_FOLDERS.includes(name.split('/')[0]!));
    expect(files.length).toBeGreaterThan(50);
    const contents = files.map((name) => `import * as m${files.indexOf(name)} from ${JSON.stringify(src + name)};`);
    const uses = files.map((_, i) => `m${i}`).join(',');
    const result = await build({
      stdin: { contents: `${contents.join('\n')}\nglobalThis.all = [${uses}];`, resolveDir: src, loader: 'ts' },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
      logLevel: 'silent',
      metafile: true,
    });
    expect(result.errors).toEqual([]);
    const imports = Object.values(result.metafile.inputs).flatMap((input) => input.imports);
    expect(imports.filter(({ path, external }) => external || path.startsWith('node:'))).toEqual([]);
    const code = result.outputFiles[0]!.text;
    expect(code).not.toMatch(/\bprocess\.(env|argv|platform|stdout)\b/);
  });

  it('imports run one way: shaders <- kernels <- tensor <- clip <- ptdpc <- lab <- report <- node <- cli', async () => {
    const order = ['kernels', 'tensor', 'clip', 'ptdpc', 'lab', 'report', 'node', 'cli'];
    const wrong: string[] = [];
    for (const name of await sources()) {
      const folder = name.split('/')[0]!;
      if (!order.includes(folder)) continue;
      const text = await readFile(src + name, 'utf8');
      for (const [, path] of text.matchAll(/from '(\.[^']*)'/g)) {
        const target = relative(src, resolve(src, dirname(name), path!)).split('/')[0]!;
        if (order.includes(target) && order.indexOf(target) > order.indexOf(folder)) wrong.push(`${name} -> ${path}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('the page imports nothing of node/ or cli/, and no bare module of Node', async () => {
    const web = new URL('../../web/', import.meta.url).pathname;
    const names = (await readdir(web, { recursive: true })).filter((name) => /\.tsx?$/.test(name));
    const own = names.filter((name) => name !== 'vite.config.ts' && !/^(?:dist|node_modules)\//.test(name));
    expect(own.length).toBeGreaterThan(30);
    const wrong: string[] = [];
    for (const name of own) {
      const text = await readFile(web + name, 'utf8');
      for (const [, path] of text.matchAll(/(?:from|import) '([^']*)'/g)) {
        if (/^node:|\/src\/(?:node|cli)\//.test(path!)) wrong.push(`${name} -> ${path}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
