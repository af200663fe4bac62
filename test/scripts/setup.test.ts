/**
 * scripts/setup.sh on made-up machines: a PATH with fakes of node, npm, apt-get, sudo and id, each of which writes down how it
 * was called. Nothing is installed; what is asserted is which commands a machine of that kind would have seen.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const scripts = new URL('../../scripts/', import.meta.url).pathname;
const bash = execFileSync('bash', ['-c', 'command -v bash'], { encoding: 'utf8' }).trim();
const leastNode = '20.18.1';
const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

interface Machine {
  /** The text of /etc/os-release. */
  os?: string;
  /** Files under /etc/apt, by path. */
  apt?: Record<string, string>;
  node?: string;
  adapter?: 'present' | 'after driver' | 'never';
  user?: 'root' | 'sudo' | 'plain';
  aptFails?: boolean;
  chromium?: boolean;
  lockfile?: boolean;
}

const DEBIAN_12 = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n';
const DEBIAN_13 = 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n';
const UBUNTU = 'ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n';
const FEDORA = 'ID=fedora\nVERSION_ID=42\n';
const KEY = 'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n -----END PGP PUBLIC KEY BLOCK-----\n';
const DEB822 = {
  'sources.list.d/debian.sources': `# the machine's own
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
${KEY}
Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`,
};
const ONE_LINE = {
  'sources.list': `# deb http://commented.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12 bookworm]/ bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/own.gpg] http://mirror.example/debian bookworm main contrib
deb http://mirror.example/debian-security bookworm-security main
`,
};

/** A clone with nothing but the scripts, and a PATH on which every command that changes a machine is a fake. */
function makeMachine(machine: Machine) {
  const root = mkdtempSync(join(tmpdir(), 'ptdpc-setup-'));
  directories.push(root);
  const clone = join(root, 'clone');
  const bin = join(root, 'bin');
  const calls = join(root, 'calls');
  const temporary = join(root, 'tmp');
  for (const directory of [bin, join(root, 'apt/sources.list.d'), temporary]) mkdirSync(directory, { recursive: true });
  cpSync(scripts, join(clone, 'scripts'), { recursive: true });
  if (machine.lockfile !== false) writeFileSync(join(clone, 'package-lock.json'), '{}\n');
  writeFileSync(join(root, 'os-release'), machine.os ?? DEBIAN_12);
  for (const [path, text] of Object.entries(machine.apt ?? DEB822)) writeFileSync(join(root, 'apt', path), text);
  writeFileSync(calls, '');

  const fake = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!${bash}\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const driver = join(root, 'driver-installed');
  const adapterIsThere = { present: 'true', 'after driver': `[[ -e '${driver}' ]]`, never: 'false' }[
    machine.adapter ?? 'present'
  ];
  fake(
    'node',
    `case "$1" in
      --version) echo '${machine.node ?? 'v20.18.1'}' ;;
      *adapter-check.mjs) if ${adapterIsThere}; then echo 'WebGPU adapter: fake'; else echo 'WebGPU adapter: none'; exit 1; fi ;;
      *) exec '${process.execPath}' "$@" ;;
    esac`,
  );
  fake('npm', `echo "npm $*" >>'${calls}'; mkdir -p node_modules`);
  fake('id', `echo ${machine.user === 'root' || machine.user === undefined ? 0 : 1000}`);
  fake('sudo', machine.user === 'sudo' ? `echo "sudo $*" >>'${calls}'; shift; exec "$@"` : 'exit 1');
  // Keeps what apt would have read as an extra source, since setup.sh removes it.
  fake(
    'apt-get',
    `echo "apt-get $*" >>'${calls}'
    for argument; do [[ $argument == Dir::Etc::sourceparts=* ]] && cp -r "\${argument#*=}/." '${root}/seen'; done
    ${machine.aptFails ? 'echo "E: no network" >&2; exit 100' : ''}
    [[ " $* " == *' install '*mesa* ]] && touch '${driver}'
    [[ " $* " == *' install '*chromium* ]] && cp '${bin}/npm' '${bin}/chromium'
    exit 0`,
  );

  if (machine.chromium) fake('chromium', 'exit 1');

  const run = (...options: string[]) => {
    writeFileSync(calls, '');
    const { status, stdout, stderr } = spawnSync(bash, [join(clone, 'scripts/setup.sh'), ...options], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: [bin, '/usr/bin', '/bin'].join(delimiter),
        CI: 'true',
        TMPDIR: temporary,
        PTDPC_OS_RELEASE: join(root, 'os-release'),
        PTDPC_APT_DIR: join(root, 'apt'),
        PTDPC_CHROMIUM: join(bin, 'chromium'),
      },
    });
    const called = readFileSync(calls, 'utf8').split('\n').filter(Boolean);
    return { status, stdout, stderr, called, apt: called.filter((call) => call.startsWith('apt-get')) };
  };
  return {
    run,
    /** A file among the sources that apt was given, or undefined. */
    seenByApt: (name: string) => readSilently(join(root, 'seen', name)),
    leftBehind: () => execFileSync('find', [temporary, '-mindepth', '1'], { encoding: 'utf8' }),
    aptDirectory: () =>
      execFileSync('find', [join(root, 'apt'), '-type', 'f', '-printf', '%P\n'], { encoding: 'utf8' }),
  };
}

function readSilently(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

describe('scripts/setup.sh', () => {
  it('installs packages, builds, and leaves a machine with an adapter alone', () => {
    const result = makeMachine({}).run();
    expect(result.status, result.stderr).toBe(0);
    expect(result.called[0]).toMatch(/^npm ci .*--include=dev/);
    expect(result.called[1]).toMatch(/^npm run .*build$/);
    expect(result.called).toHaveLength(2);
    expect(result.stdout).toContain('setup: ready');
  });

  it('does not install the same packages twice', () => {
    const machine = makeMachine({});
    machine.run();
    expect(machine.run().called.filter((call) => call.startsWith('npm ci'))).toEqual([]);
  });

  it('runs npm install where there is no lockfile', () => {
    expect(makeMachine({ lockfile: false }).run().called[0]).toMatch(/^npm install /);
  });

  it.each(['v18.20.4', 'v20.9.0', 'v20.18.0', 'v20', 'nonsense'])('refuses Node %s in one line', (node) => {
    const result = makeMachine({ node }).run();
    expect(result.status).toBe(1);
    expect(result.stderr).toBe(`setup: Node.js ${leastNode} or newer is needed, found: ${node}\n`);
    expect(result.called).toEqual([]);
  });

  it.each([`v${leastNode}`, 'v20.20.0', 'v22.0.0', 'v100.1.2', 'v26.0.0-nightly20260101'])('takes Node %s', (node) => {
    const result = makeMachine({ node }).run();
    expect(result.status, result.stderr).toBe(0);
  });

  it('refuses an option that it does not know', () => {
    const result = makeMachine({}).run('--driver');
    expect([result.status, result.stderr]).toEqual([2, "setup: unknown option '--driver', see --help\n"]);
  });

  it('explains itself without doing anything', () => {
    const result = makeMachine({}).run('--help');
    expect(result.status).toBe(0);
    expect(result.stdout).toContain('--no-driver');
    expect(result.called).toEqual([]);
  });
});

describe('scripts/setup.sh without an adapter', () => {
  const MESA = 'mesa-vulkan-drivers libvulkan1';

  it("takes Debian 12's driver from backports, on the machine's own mirror and key (deb822)", () => {
    const machine = makeMachine({ adapter: 'after driver' });
    const result = machine.run();
    expect(result.status, result.stderr).toBe(0);
    expect(result.apt).toHaveLength(2);
    expect(result.apt[0]).toMatch(/ update$/);
    expect(result.apt[1]).toContain(` install --no-install-recommends -t bookworm-backports ${MESA}`);
    expect(machine.seenByApt('backports.sources')).toBe(
      `types: deb\nuris: http://mirror.example/debian\nsuites: bookworm-backports\ncomponents: main\n${KEY.replace('Signed-By', 'signed-by')}`,
    );
    expect(machine.seenByApt('debian.sources')).toBe(DEB822['sources.list.d/debian.sources']);
    expect(result.stdout).toContain('WebGPU adapter: fake');
  });

  it("takes Debian 12's driver from backports, on the machine's own mirror and key (one line)", () => {
    const machine = makeMachine({ adapter: 'after driver', apt: ONE_LINE });
    expect(machine.run().apt[1]).toContain('-t bookworm-backports');
    expect(machine.seenByApt('backports.list')).toBe(
      'deb [arch=amd64 signed-by=/usr/share/keyrings/own.gpg] http://mirror.example/debian bookworm-backports main\n',
    );
  });

  it('adds no source where backports are configured, and reads neither disabled stanzas nor files set aside', () => {
    const apt = {
      ...DEB822,
      'sources.list.d/backports.list': 'deb http://mirror.example/debian bookworm-backports main\n',
    };
    const configured = makeMachine({ adapter: 'after driver', apt });
    expect(configured.run().apt[1]).toContain('-t bookworm-backports');
    expect(configured.seenByApt('backports.sources')).toBeUndefined();

    const stanza = 'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n';
    const disabled = makeMachine({
      adapter: 'after driver',
      apt: { 'sources.list.d/a.sources': `Enabled: no\n${stanza}`, 'sources.list.d/b.sources.disabled': stanza },
    });
    const result = disabled.run();
    expect(result.apt).toEqual([]);
    expect(result.stderr).toContain('no apt source of bookworm to take a mirror from');
    expect(result.status).toBe(0);
  });

  it.each([
    ['Debian 13', DEBIAN_13],
    ['Ubuntu', UBUNTU],
  ])("installs the release's own driver on %s", (_, os) => {
    const result = makeMachine({ adapter: 'after driver', os }).run();
    expect(result.apt[1]).toContain(` install --no-install-recommends ${MESA}`);
    expect(result.apt[1]).not.toContain('backports');
  });

  it('leaves no trace of its sources, whether apt succeeds or fails', () => {
    for (const aptFails of [false, true]) {
      const machine = makeMachine({ adapter: 'after driver', aptFails });
      const result = machine.run();
      expect(machine.leftBehind()).toBe('');
      expect(machine.aptDirectory()).toBe('sources.list.d/debian.sources\n');
      expect(result.apt.every((call) => call.includes('-o Dir::State::lists='))).toBe(true);
    }
  });

  it('goes on without an adapter where apt fails, and shows why', () => {
    const result = makeMachine({ adapter: 'after driver', aptFails: true }).run();
    expect(result.status).toBe(0);
    expect(result.stderr).toContain('E: no network');
    expect(result.stdout).toContain('the CPU backend is used');
    expect(result.apt).toHaveLength(1);
  });

  it('says what to install where the driver does not help', () => {
    const result = makeMachine({ adapter: 'never' }).run();
    expect(result.status).toBe(0);
    expect(result.apt).toHaveLength(2);
    expect(result.stdout).toContain('the CPU backend is used');
  });

  it('uses sudo where it wants no password', () => {
    const result = makeMachine({ adapter: 'after driver', user: 'sudo' }).run();
    expect(
      result.called.filter((call) => call.includes('sudo -n env DEBIAN_FRONTEND=noninteractive apt-get')),
    ).toHaveLength(2);
    expect(result.apt).toHaveLength(2);
  });

  it.each<[string, Machine, string[]]>([
    ['with --no-driver', {}, ['--no-driver']],
    ['as a user without sudo', { user: 'plain' }, []],
    ['on a system without apt', { os: FEDORA }, []],
  ])('installs nothing %s, and says in one line what to install', (_, machine, options) => {
    const result = makeMachine({ adapter: 'after driver', ...machine }).run(...options);
    expect(result.status).toBe(0);
    expect(result.apt).toEqual([]);
    expect(result.stdout.match(/^setup: no WebGPU adapter.*mesa-vulkan-drivers libvulkan1.*$/gm)).toHaveLength(1);
  });
});

describe('scripts/setup.sh --tests', () => {
  it('installs Chromium where there is none, once', () => {
    const machine = makeMachine({});
    const result = machine.run('--tests');
    expect(result.status, result.stderr).toBe(0);
    expect(result.apt).toHaveLength(2);
    expect(result.apt[1]).toMatch(/ install --no-install-recommends chromium$/);
    expect(machine.run('--tests').apt).toEqual([]);
    expect(machine.leftBehind()).toBe('');
  });

  it("takes Chromium from the release itself, though the driver comes from Debian 12's backports", () => {
    const { apt } = makeMachine({ adapter: 'after driver' }).run('--tests');
    expect(apt.filter((call) => call.includes(' install ')).map((call) => call.includes('backports'))).toEqual([
      true,
      false,
    ]);
  });

  it('leaves an installed one alone, and a machine that was not asked', () => {
    expect(makeMachine({ chromium: true }).run('--tests').apt).toEqual([]);
    expect(makeMachine({}).run().apt).toEqual([]);
  });

  it.each<[string, Machine, string[]]>([
    ['with --no-driver', {}, ['--no-driver']],
    ['as a user without sudo', { user: 'plain' }, []],
    ['on a system without apt', { os: FEDORA }, []],
    ['where apt fails', { aptFails: true }, []],
  ])('says in one line what is skipped %s, and goes on', (_, machine, options) => {
    const result = makeMachine(machine).run('--tests', ...options);
    expect(result.status).toBe(0);
    expect(result.stdout.match(/^setup: no Chromium, so .* skipped.*PTDPC_CHROMIUM.*$/gm)).toHaveLength(1);
    expect(result.stdout).toContain('setup: ready');
  });
});
