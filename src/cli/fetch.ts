/** `ptdpc fetch`: a model directory from the Hugging Face hub, or from OpenAI's own archive; or another encoder from its publisher. */
import { type Command, InvalidArgumentError } from 'commander';
import { counted, InputError } from '../errors.js';
import type { ConversionOptions } from '../node/convert-checkpoint.js';
import type { FetchedFile, FetchOptions } from '../node/hub/fetch-model.js';
import type { HttpClient } from '../node/hub/http.js';
import { PAPER_ENCODERS, PUBLISHED_ENCODERS, type PublishedFile } from '../node/hub/published-encoders.js';
import { PUBLISHED_MODELS } from '../node/hub/published-models.js';
import { addConversionOptions } from './convert.js';
import { addExamples, jsonOption, parseInteger, parsePositive } from './options.js';
import { commandLine, printJson, say, sayHowToResume } from './output.js';
import { type Progress, progress, TERMINAL } from './progress.js';

const SIBLINGS = [...PUBLISHED_ENCODERS.keys()].slice(PAPER_ENCODERS.length);

interface Options extends ConversionOptions {
  out: string;
  from?: string;
  sha256?: string;
  revision?: string;
  endpoint?: string;
  hubCache: boolean;
  encoder?: boolean;
  retries: number;
  stall: number;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Download a CLIP into a model directory: config.json, weights, merges.txt and vocab.json of a model on the ' +
        "Hugging Face hub, or, with --from, OpenAI's own archive, which is converted. Every file is checked by its " +
        'hash; files in the local hub cache are copied instead. Or download another image encoder, by its name, into a folder: ' +
        `${PAPER_ENCODERS.join(', ')} (those of the paper's Table 4), ${SIBLINGS.join(', ')}. Their files are checked by ` +
        'the hash in their names. Running the same command again resumes an interrupted download.',
    )
    .argument(
      '[model]',
      "ViT-B/32, ViT-B/16 or ViT-L/14 (OpenAI's, with known hashes), the name of an encoder, or a model on the hub: owner/name",
    )
    .requiredOption('--out <dir>', 'model directory to create')
    .option('--encoder', 'owner/name is another image encoder than a CLIP, such as one of timm')
    .option('--revision <name>', "branch, tag or commit (default: main; for OpenAI's the pinned commit)")
    .option('--endpoint <url>', 'hub or mirror (default: $HF_ENDPOINT or https://huggingface.co, or the publisher)')
    .option('--no-hub-cache', 'ignore the local hub cache ($HF_HUB_CACHE, $HF_HOME/hub, ~/.cache/huggingface/hub)')
    .option('--from <file>', "URL or path of OpenAI's ViT-B-32.pt, or another checkpoint file; needs --vocab")
    .option('--sha256 <hash>', "expected hash of --from (default: known for OpenAI's files)", parseSha256)
    .option('--retries <n>', 'attempts after a failure without progress', parseInteger(0, 100), 5)
    .option('--stall <seconds>', 'time without data after which a connection is given up', parsePositive, 30);
  addConversionOptions(command)
    .addOption(jsonOption())
    .action((model: string | undefined, options: Options) => fetch(model, options));
  command.addHelpText(
    'after',
    '\nEnvironment: HF_TOKEN for gated and private models (sent to the hub only), HF_ENDPOINT, HF_HUB_CACHE, HF_HOME,\n' +
      'HTTP_PROXY, HTTPS_PROXY, NO_PROXY. --vocab, --dtype and --activation apply to --from only.',
  );
  addExamples(command, [
    ['ptdpc fetch ViT-B/32 --out clip-b32', "OpenAI's ViT-B/32, 605 MB"],
    ['ptdpc fetch laion/CLIP-ViT-B-32-laion2B-s34B-b79K --out clip-laion', 'any ViT CLIP on the hub'],
    ['ptdpc fetch resnet101 --out encoders/resnet101', "torchvision's ResNet101, 179 MB"],
    ['ptdpc fetch beit --out encoders/beit', 'BEiT-B/16 from the hub, 350 MB'],
    ['ptdpc fetch ViT-B/32 --from ViT-B-32.pt --vocab bpe_simple_vocab_16e6.txt.gz --out clip-b32', "OpenAI's archive"],
  ]);
}

async function fetch(model: string | undefined, options: Options): Promise<void> {
  const { HttpClient, isLocal, parseHttpUrl } = await import('../node/hub/http.js');
  using bar = new TransferBar();
  const { stall, retries } = options;
  const endpoint =
    options.endpoint === undefined
      ? parseHttpUrl(process.env.HF_ENDPOINT || 'https://huggingface.co', 'HF_ENDPOINT')
      : parseHttpUrl(options.endpoint, '--endpoint');
  using client = new HttpClient({
    stallAfter: stall * 1000,
    token: process.env.HF_TOKEN || undefined,
    tokenOrigin: endpoint.origin,
  });
  if (process.env.HF_TOKEN && endpoint.protocol === 'http:' && !isLocal(endpoint))
    say(`warning: HF_TOKEN is sent unencrypted to ${endpoint.origin}, where anyone on the way can read it; use https`);
  const transfer = { ...bar.listeners, retries };
  const encoder = options.from === undefined && model !== undefined ? PUBLISHED_ENCODERS.get(model) : undefined;
  if (options.from !== undefined) await fromArchive(client, model, options.from, options, transfer);
  else if (encoder && 'file' in encoder) await fromPublisher(client, encoder, options, transfer);
  else if (model !== undefined) await fromHub(client, endpoint, model, options, transfer);
  else throw new InputError('fetch: expected a model, such as ViT-B/32, or --from');
}

async function fromHub(client: HttpClient, endpoint: URL, model: string, options: Options, transfer: FetchOptions) {
  const { fetchModel } = await import('../node/hub/fetch-model.js');
  const { hubCacheDirectory, requireRepositoryId, requireRevision } = await import('../node/hub/repository.js');
  const { out, json } = options;
  refuseArchiveOptions(options);
  const encoder = PUBLISHED_ENCODERS.get(model);
  const isEncoder = encoder !== undefined || options.encoder === true;
  const published = PUBLISHED_MODELS.get(model);
  // No owner on the hub is called ViT-B, and CLIPs are not among its few models without an owner.
  if (!published && !encoder && (!model.includes('/') || /^ViT-[a-z]\b/i.test(model))) throw unknownModel(model);
  const id = published?.id ?? requireRepositoryId(encoder && 'id' in encoder ? encoder.id : model);
  const isPinned = published !== undefined && options.revision === undefined;
  const request = {
    id,
    revision: isPinned ? published.commit : requireRevision(options.revision ?? 'main'),
    pins: isPinned ? published.pins : new Map<string, string>(),
    published: isPinned ? model : undefined,
    isEncoder,
    endpoint,
    cache: options.hubCache ? hubCacheDirectory() : undefined,
  };
  sayHowToResume();
  const { commit, files } = await fetchModel(client, request, out, transfer);
  if (json) {
    printJson({ out, id, commit, endpoint: endpoint.origin, files: files.map(fileJson) });
    return;
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const origins = [...new Set(files.map(({ from }) => from))].join(', ');
  say(`${out}: ${id} at ${commit.slice(0, 12)}, ${counted(files.length, 'file')}, ${megabytes(bytes)} (${origins})`);
  const unlisted = files.filter(({ checked }) => !checked).map(({ name }) => name);
  if (unlisted.length > 0) say(`the hub lists no hash for ${unlisted.join(', ')}; all other hashes checked`);
  else
    say(
      `hashes checked${isPinned ? ', weights, vocabulary and configuration against what is known of them' : ''}; ${commandLine(['verify', out])} checks the model itself`,
    );
}

/** A file of weights that says its hash in its name. */
async function fromPublisher(client: HttpClient, file: PublishedFile, options: Options, transfer: FetchOptions) {
  const { fetchEncoder } = await import('../node/hub/fetch-encoder.js');
  const { parseHttpUrl } = await import('../node/hub/http.js');
  const { out, json, endpoint } = options;
  refuseArchiveOptions(options);
  if (options.revision !== undefined) throw new InputError('--revision: only for a repository on the hub');
  const mirror = endpoint === undefined ? undefined : parseHttpUrl(endpoint, '--endpoint');
  sayHowToResume();
  const fetched = await fetchEncoder(client, { ...file, mirror }, out, transfer);
  if (json) printJson({ out, files: [fileJson(fetched)] });
  else say(`${out}: ${fetched.name} (${fetched.from}), SHA-256 ${fetched.hash.hex}, as its name says`);
}

function refuseArchiveOptions({ sha256, vocab }: Options): void {
  for (const [name, value] of Object.entries({ sha256, vocab })) {
    if (value !== undefined) throw new InputError(`--${name}: only with --from`);
  }
}

function unknownModel(model: string): InputError {
  const known = [...PUBLISHED_MODELS.keys(), ...PAPER_ENCODERS];
  // As in vitb32 and ViT-B-32.
  const bare = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const meant = known.find((name) => bare(name) === bare(model));
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  return new InputError(
    `fetch: unknown model ${model}${hint}; expected ${known.join(', ')}, or a repository as <owner>/<name>`,
  );
}

async function fromArchive(
  client: HttpClient,
  model: string | undefined,
  from: string,
  options: Options,
  transfer: FetchOptions,
) {
  const { convertCheckpoint } = await import('../node/convert-checkpoint.js');
  const { fetchArchive } = await import('../node/hub/fetch-archive.js');
  const { out, json, vocab } = options;
  if (model !== undefined && !PUBLISHED_MODELS.has(model)) {
    throw new InputError(
      `${JSON.stringify(model)}: with --from, expected ${[...PUBLISHED_MODELS.keys()].join(', ')} or none`,
    );
  }
  if (options.revision !== undefined) throw new InputError('--revision: not with --from');
  if (vocab === undefined) {
    throw new InputError(
      '--from: a checkpoint file has no vocabulary; give one with --vocab (merges.txt or bpe_simple_vocab_16e6.txt.gz)',
    );
  }
  await requireFile(vocab);
  const request = { from, model, sha256: options.sha256 };
  const convert = async (path: string) => {
    transfer.onTotal?.(0, 0);
    await convertCheckpoint(path, out, options, TERMINAL);
  };
  sayHowToResume();
  const { hash, expected } = await fetchArchive(client, request, out, convert, transfer);
  if (json) printJson({ out, from, sha256: hash.hex, expected });
  else if (expected) say(`SHA-256 ${hash.hex}, as expected`);
  else say(`SHA-256 ${hash.hex}; not checked, since --sha256 was not given`);
}

/** Fails before a long download rather than after it. */
async function requireFile(path: string): Promise<void> {
  const { readSmallFile } = await import('../node/checkpoint-files.js');
  await readSmallFile(path);
}

function fileJson({ name, bytes, hash, checked, from }: FetchedFile) {
  return { name, bytes, [hash.algorithm]: hash.hex, checked, from };
}

function parseSha256(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError('Expected 64 hexadecimal digits.');
  return text.toLowerCase();
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(0)} MB`;
}

/** A progress bar that starts again with each new total. */
class TransferBar implements Disposable {
  #bar: Progress | undefined;

  readonly listeners = {
    onTotal: (bytes: number, done: number) => {
      this.#bar?.stop();
      this.#bar = bytes > 0 ? progress(bytes, 'fetching', 'B') : undefined;
      this.#bar?.skip(done);
    },
    onBytes: (bytes: number) => this.#bar?.tick(bytes),
    onRetry: (reason: string, wait: number) => this.#note(`${reason}; retrying in ${(wait / 1000).toFixed(1)} s`),
    onNote: (note: string) => say(note),
  };

  /** On a terminal, a separate line would break up the bar. */
  #note(text: string): void {
    if (process.stderr.isTTY && this.#bar) this.#bar.tick(0, text);
    else say(text);
  }

  [Symbol.dispose](): void {
    this.#bar?.stop();
  }
}
