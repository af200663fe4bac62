// Checks a built site as any static web server would serve it: every link and every resource leads to a file, every #part is on its page,
// and no page or style sheet asks another server for anything.
//
//     node scripts/site/check.mjs FOLDER [--base /BASE/]
//
// Links to other sites are allowed, since nothing is loaded from them before a reader follows them.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

const [folder, , base = '/'] = process.argv.slice(2);
if (folder === undefined || !existsSync(folder)) {
  console.error('usage: node scripts/site/check.mjs FOLDER [--base /BASE/]');
  process.exit(2);
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
const faults = new Set();
const pages = new Map(files.filter((name) => name.endsWith('.html')).map((name) => [name, pageOf(name)]));
let links = 0;
for (const [name, { hrefs, resources }] of pages) {
  for (const href of hrefs) checkLink(name, href);
  for (const resource of resources) checkResource(name, resource);
}
for (const name of files.filter((one) => one.endsWith('.css'))) {
  const style = readFileSync(join(folder, name), 'utf8');
  for (const [, address] of style.matchAll(/(?:url\(|@import\s+)\s*["']?([^"')\s;]+)/g)) checkResource(name, address);
}
if (pages.size === 0) faults.add(`${folder}: no page`);
for (const fault of faults) console.error(fault);
console.log(`${pages.size} pages, ${links} links, ${faults.size} faults`);
process.exit(faults.size > 0 ? 1 : 0);

/** Ids, links and resources of a page; what stands in scripts and comments is none of them. */
function pageOf(name) {
  const html = readFileSync(join(folder, name), 'utf8');
  const tags = html
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/(<(script|style)\b[^>]*>)[\s\S]*?<\/\2>/g, '$1')
    .matchAll(/<([a-z][\w-]*)((?:\s+[^\s=>]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+))?)*)\s*\/?>/gi);
  const page = { ids: new Set(), hrefs: [], resources: [] };
  for (const [, tag, text] of tags) {
    const attributes = new Map(
      [...text.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/g)].map(([, key, ...values]) => [
        key.toLowerCase(),
        decoded(values.find((value) => value !== undefined)),
      ]),
    );
    if (attributes.has('id')) page.ids.add(attributes.get('id'));
    const href = attributes.get('href') ?? attributes.get('xlink:href');
    // A canonical address or the like is not loaded.
    const loads = tag !== 'link' || /stylesheet|preload|icon|manifest/.test(attributes.get('rel') ?? '');
    if (href !== undefined && /^(a|area)$/.test(tag)) page.hrefs.push(href);
    else if (href !== undefined && loads) page.resources.push(href);
    for (const key of ['src', 'poster', 'data', 'action'])
      if (attributes.has(key)) page.resources.push(attributes.get(key));
    for (const one of (attributes.get('srcset') ?? '').split(',').filter(Boolean))
      page.resources.push(one.trim().split(/\s/)[0]);
  }
  return page;
}

function decoded(text) {
  return text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<');
}

function checkLink(from, href) {
  if (/^(https?:|mailto:)/.test(href)) return;
  links++;
  const target = fileOf(from, href.split('#')[0]);
  if (target === undefined) faults.add(`${from}: ${href} leads nowhere`);
  const part = href.includes('#') ? decodeURIComponent(href.slice(href.indexOf('#') + 1)) : '';
  // The page of the engine reads the part itself: a tab, and what to open there.
  const byScript = target?.startsWith('play/');
  if (target !== undefined && part !== '' && !byScript && pages.has(target) && !pages.get(target).ids.has(part)) {
    faults.add(`${from}: ${href}: no such part on the page`);
  }
}

function checkResource(from, address) {
  if (/^(data:|blob:|#)/.test(address)) return;
  if (/^(\w+:)?\/\//.test(address)) faults.add(`${from}: loads ${address} from another server`);
  else if (fileOf(from, address.split(/[?#]/)[0]) === undefined) faults.add(`${from}: ${address} is not there`);
}

/** The file that a server would send, by its path in the folder. */
function fileOf(from, address) {
  if (address === '') return from;
  const path = decodeURI(address);
  if (path.startsWith('/') && !path.startsWith(base)) return undefined;
  const inside = path.startsWith('/') ? path.slice(base.length) : posix.join(posix.dirname(from), path);
  for (const name of [inside, posix.join(inside, 'index.html'), `${inside}.html`]) {
    const file = join(folder, name);
    if (!name.startsWith('..') && existsSync(file) && statSync(file).isFile()) return posix.normalize(name);
  }
  return undefined;
}
