/** Kills one command again and again, and looks at what is left each time. */
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../fuzz/random.js';
import { hashes, requireSame } from './disk.js';
import { type CommandName, type Device, JOBS, type Job, PHASES, type Phase } from './jobs/index.js';
import { isBelowTemporary, isLock, namesBelow } from './jobs/job.js';
import { type Call, call, type End, type Moment } from './victim.js';

export interface Campaign {
  readonly command: CommandName;
  readonly device: Device;
  readonly kills: number;
  readonly seed: number;
  /** Small inputs, for a test. */
  readonly quick?: boolean;
  /** The built command line. */
  readonly program: string;
  /** Where the folder of a life that failed is kept. */
  readonly keep?: string | undefined;
  readonly onKill?: (kills: number) => void;
}

export interface Outcome {
  readonly command: CommandName;
  readonly device: Device;
  readonly seed: number;
  /** How long the command takes that nobody kills, in ms. */
  readonly undisturbed: number;
  /** Times that an output was made from nothing, each with one to four kills. */
  readonly lives: number;
  readonly kills: number;
  readonly phases: Readonly<Record<Phase, number>>;
  /** Calls that ended before their moment. */
  readonly missed: number;
  readonly failures: readonly string[];
}

/** Kills in a life at most: one that is killed always would tell nothing about its end. */
const MOST_KILLS = 4;

/** A call that met its end after its moment is the exception; where it becomes the rule, something is wrong. */
const mostMissed = (kills: number) => 3 * kills + 20;

/** Later calls of a life have less to do. */
const REMAINING = 0.7;

/** Renaming what has been written takes less than this, in ms. */
const AFTER_CHANGE = 4;

/** What a life did wrong. */
class Failure extends Error {}

/**
 * Runs the command once undisturbed; then, until it has been killed so many times, life after life: calls that are killed, each followed by
 * a look at the disk, and one that is not, whose output must be the undisturbed one's.
 */
export async function runCampaign(campaign: Campaign): Promise<Outcome> {
  const { command, device, kills, seed, keep } = campaign;
  const scratch = await mkdtemp(join(tmpdir(), 'ptdpc-faults-'));
  try {
    await mkdir(join(scratch, 'inputs'));
    await using job = await JOBS[command](join(scratch, 'inputs'), { device, quick: campaign.quick ?? false });
    const theatre = await Theatre.open(campaign, job, scratch);
    const failures: string[] = [];
    let lives = 0;
    for (; theatre.kills < kills && theatre.missed <= mostMissed(kills); lives++) {
      try {
        await theatre.live(lives);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        failures.push(`life ${lives}: ${error.message}`);
        if (keep !== undefined)
          await cp(theatre.folder, join(keep, `${command}-${device}-${seed}-${lives}`), {
            recursive: true,
            force: true,
          });
      }
    }
    const { undisturbed, phases, missed } = theatre;
    return { command, device, seed, undisturbed, lives, kills: theatre.kills, phases, missed, failures };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

class Theatre {
  kills = 0;
  missed = 0;
  readonly phases = Object.fromEntries(PHASES.map((phase) => [phase, 0])) as Record<Phase, number>;

  private constructor(
    private readonly campaign: Campaign,
    private readonly job: Job,
    /** Working directory of every call, so that paths in outputs are the same. */
    readonly folder: string,
    private readonly reference: string,
    private readonly expected: ReadonlyMap<string, string>,
    private readonly straight: End,
  ) {}

  static async open(campaign: Campaign, job: Job, scratch: string): Promise<Theatre> {
    const [folder, reference] = [join(scratch, 'life'), join(scratch, 'reference')];
    await mkdir(folder);
    const straight = await call(callOf(campaign, job, folder));
    if (straight.code !== 0) throw new Error(`${campaign.command} fails without a kill: ${straight.stderr}`);
    const left = leftovers(await namesBelow(folder));
    if (left.length > 0) throw new Error(`${campaign.command} leaves ${left.join(', ')}`);
    await rename(folder, reference);
    const expected = outputOf(await hashes(reference), job);
    return new Theatre(campaign, job, folder, reference, expected, straight);
  }

  get undisturbed(): number {
    return this.straight.milliseconds;
  }

  /** From an empty folder to the output, killed on the way. Throws Failure. */
  async live(number: number): Promise<void> {
    const random = Random.ofCase(this.campaign.command, this.campaign.seed, number);
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder);
    const deaths = 1 + random.below(MOST_KILLS);
    const story: string[] = [];
    try {
      let isDone = false;
      for (let death = 0; !isDone && death < deaths && this.kills < this.campaign.kills; death++) {
        isDone = await this.#callAndKill(this.#moment(random, death), story);
      }
      if (!isDone) {
        const end = await this.#call();
        if (end.killed) throw new Error('still running after two minutes');
        if (end.code !== 0) throw new Error(`code ${end.code}: ${end.stderr.trim()}`);
      }
      requireSame(outputOf(await hashes(this.folder), this.job), this.expected);
      const left = leftovers(await namesBelow(this.folder));
      // Nobody calls a command again that refuses what is complete, so that its lock stays, known to be dead.
      if (left.some((name) => !(isDone && isLock(name)))) throw new Error(`${left.join(', ')} left behind`);
    } catch (error) {
      throw new Failure(`${(error as Error).message} (${story.join(', ')})`);
    }
  }

  /** True if there is nothing left to do. */
  async #callAndKill(moment: Moment, story: string[]): Promise<boolean> {
    const before = new Set(await namesBelow(this.folder));
    const end = await this.#call(moment);
    story.push(described(moment));
    if (!end.killed) {
      if (end.code !== 0) throw new Error(`code ${end.code}: ${end.stderr.trim()}`);
      this.missed++;
      return true;
    }
    this.kills++;
    this.campaign.onKill?.(this.kills);
    const phase = await this.job.inspect(this.folder, this.reference, (name) => !before.has(name));
    story.push(`then ${phase}`);
    this.phases[phase]++;
    return phase === 'complete' && this.job.refusesComplete === true;
  }

  #call(moment?: Moment): Promise<End> {
    return call(callOf(this.campaign, this.job, this.folder), moment);
  }

  /** Half of the kills at any time, half right after a name came or went, since that is where the short phases are. */
  #moment(random: Random, death: number): Moment {
    const share = (random.below(1000) / 1000) * (death > 0 ? REMAINING : 1);
    const { milliseconds, changes } = this.straight;
    if (changes === 0 || random.oneIn(2)) return { kind: 'time', milliseconds: share * milliseconds };
    const after = (random.below(1000) / 1000) * AFTER_CHANGE;
    return { kind: 'change', number: 1 + Math.floor(share * changes), milliseconds: after };
  }
}

function callOf({ program }: Campaign, { args, env }: Job, folder: string): Call {
  return { program, args, env: { PTDPC_CACHE: join(folder, 'cache'), ...env }, folder };
}

/** The hashes of what is compared. */
function outputOf(all: ReadonlyMap<string, string>, { output }: Job): Map<string, string> {
  return new Map([...all].filter(([name]) => name === output || name.startsWith(`${output}/`)));
}

/** What no call that has ended by itself may leave. */
function leftovers(names: readonly string[]): string[] {
  return names.filter((name) => isBelowTemporary(name) || isLock(name));
}

function described(moment: Moment): string {
  const at = `${moment.milliseconds.toFixed(1)} ms`;
  return moment.kind === 'time' ? `killed at ${at}` : `killed ${at} after change ${moment.number}`;
}
