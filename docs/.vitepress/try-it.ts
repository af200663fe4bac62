/** "Try it" behind the snippets of kernels: a link that opens the kernel in the laboratory of the page, which the built site has at play/. */
import type { MarkdownRenderer } from 'vitepress';
import { allKernels } from '../../src/kernels/index.js';

/** Adds a paragraph with the link behind each generated block of code that is of a kernel. */
export function linkSnippets(md: MarkdownRenderer): void {
  const { rules } = md.renderer;
  const html = rules.html_block!;
  let kernel: string | undefined;
  rules.html_block = (tokens, index, options, env, self) => {
    const text = tokens[index]!.content;
    const shown = html(tokens, index, options, env, self);
    const ended = kernel !== undefined && /^<!-- end -->/.test(text) ? link(kernel, pathOf(env)) : '';
    kernel = kernelOfSnippet(text);
    return shown + ended;
  };
}

/** The kernel that a `<!-- begin code: FILE: ... -->` shows a part of; undefined for other code and other blocks. */
export function kernelOfSnippet(block: string): string | undefined {
  const [, file = '', from = ''] = /^<!-- begin code: (\S+?): (.*?)(?: >|:|$)/.exec(block) ?? [];
  const kernels = allKernels();
  const [, declared] = /^export const (\w+) =/.exec(from) ?? [];
  if (declared !== undefined) return kernels.find(({ name }) => name === declared)?.name;
  const [, shader] = /^shaders\/(\w+)\.wgsl$/.exec(file) ?? [];
  const [, ladder] = /^docs\/kernels\/ladders\/(\w+)-\d/.exec(file) ?? [];
  return kernels.find(
    ({ name, variants }) => name === ladder || (shader !== undefined && variants.some(({ wgsl }) => wgsl === shader)),
  )?.name;
}

/** Relative, so that it holds wherever the site lies. */
function link(kernel: string, page: string): string {
  const up = '../'.repeat(page.split('/').length - 1);
  // The site's router knows pages only.
  return `<p class="try"><a href="${up}play/index.html#laboratory/${kernel}" target="_self">Try ${kernel} in the laboratory</a></p>\n`;
}

function pathOf(env: unknown): string {
  return (env as { relativePath?: string }).relativePath ?? '';
}
