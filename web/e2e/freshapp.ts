import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

const packages = join(import.meta.dirname, '../node_modules');
const library = join(process.env.E2E_DIST ?? join(import.meta.dirname, '../dist'), 'keywright');

/** An Angular app as `ng new` makes it, in a folder of its own, with the library installed as it would be published. */
export class FreshApp {
  /** Where `ng build` puts it. */
  readonly built: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.built = join(folder, 'dist/fresh/browser');
  }

  static async make(): Promise<FreshApp> {
    const app = new FreshApp(await mkdtemp(join(tmpdir(), 'keywright-fresh-')));
    await app.#link();
    await app.#install();
    await app.ng('new', 'fresh', '--directory=.', '--defaults', '--skip-install', '--skip-git');
    return app;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  /** Runs a command of the Angular CLI. @returns what it prints */
  async ng(...args: string[]): Promise<string> {
    return run(process.execPath, ['node_modules/@angular/cli/bin/ng.js', ...args], this.#folder);
  }

  /** The text of each file of src, by its path there. */
  async sources(): Promise<Record<string, string>> {
    const src = join(this.#folder, 'src');
    const files = (await readdir(src, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
    return Object.fromEntries(await Promise.all(paths.map(async (path) => [path.slice(src.length + 1), await readFile(path, 'utf8')])));
  }

  /** Replaces something in a file of src. */
  async edit(name: string, what: string | RegExp, by: string): Promise<void> {
    const path = join(this.#folder, 'src', name);
    await writeFile(path, (await readFile(path, 'utf8')).replace(what, by));
  }

  /** How many bytes of JavaScript a browser loads, at the start or later, each file compressed. */
  async bytes(): Promise<number> {
    const names = (await readdir(this.built)).filter((name) => name.endsWith('.js'));
    const files = await Promise.all(names.map((name) => readFile(join(this.built, name))));
    return files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  }

  /** Gives the app the packages that this suite has. Only the CLI is a copy: it looks for a workspace around its own files. */
  async #link(): Promise<void> {
    for (const name of await packageNames()) {
      const path = join(this.#folder, 'node_modules', name);
      await mkdir(dirname(path), { recursive: true });
      if (name === '@angular/cli') await cp(join(packages, name), path, { recursive: true });
      else await symlink(join(packages, name), path);
    }
  }

  async #install(): Promise<void> {
    const archive = (await run('npm', ['pack', library, '--silent'], this.#folder)).trim();
    const path = join(this.#folder, 'node_modules/@keywright/angular');
    await mkdir(path, { recursive: true });
    await run('tar', ['-xzf', archive, '-C', path, '--strip-components=1'], this.#folder);
    await rm(join(this.#folder, archive));
  }
}

/** The installed packages, this repository's own aside. */
async function packageNames(): Promise<string[]> {
  const names = (await readdir(packages)).filter((name) => !/^\.|^@keywright$|^e2e$/.test(name));
  const inner = async (scope: string) => (await readdir(join(packages, scope))).map((name) => `${scope}/${name}`);
  return (await Promise.all(names.map((name) => (name.startsWith('@') ? inner(name) : [name])))).flat();
}

async function run(command: string, args: string[], cwd: string): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd, env: { ...process.env, NG_CLI_ANALYTICS: 'false', CI: '1' } })).stdout;
  } catch (failed) {
    const { stdout, stderr } = failed as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`);
  }
}
