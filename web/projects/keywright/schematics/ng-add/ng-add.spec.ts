// @vitest-environment node
import { SchematicTestRunner, UnitTestTree } from '@angular-devkit/schematics/testing';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Options } from './index';

const library = join(import.meta.dirname, '../..');
const packages = join(library, '../../node_modules');
const built = mkdtempSync(join(tmpdir(), 'keywright-schematics-'));

/** Node loads what TypeScript has made of the sources. */
beforeAll(() => {
  symlinkSync(packages, join(built, 'node_modules'));
  cpSync(join(library, 'schematics'), built, { recursive: true });
  const tsc = join(packages, 'typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(library, 'tsconfig.schematics.json'), '--noCheck', '--outDir', built]);
});

afterAll(() => rmSync(built, { recursive: true }));

const config = '/src/app/app.config.ts';
const routes = '/src/app/app.routes.ts';

let runner: SchematicTestRunner;
let said: string[];
let app: UnitTestTree;

beforeEach(async () => {
  runner = new SchematicTestRunner('@keywright/angular', join(built, 'collection.json'));
  runner.registerCollection('@schematics/angular', join(packages, '@schematics/angular/collection.json'));
  said = [];
  runner.logger.subscribe(({ message }) => said.push(message));
  app = await workspace();
  await application('notes', '', app);
});

/** A workspace as `ng new --create-application=false` makes it. */
async function workspace(): Promise<UnitTestTree> {
  return runner.runExternalSchematic('@schematics/angular', 'workspace', { name: 'workspace', version: '22.0.0' });
}

/** An application as `ng new` or `ng generate application` makes it. */
async function application(name: string, projectRoot: string, tree: UnitTestTree, more: object = {}): Promise<UnitTestTree> {
  return runner.runExternalSchematic('@schematics/angular', 'application', { name, projectRoot, skipInstall: true, ...more }, tree);
}

async function add(options: Partial<Options> = {}, to = app): Promise<UnitTestTree> {
  return runner.runSchematic('ng-add', options, to);
}

/** The text of each file. */
function textOf(tree: UnitTestTree): Record<string, string> {
  return Object.fromEntries(tree.files.map((path) => [path, tree.readContent(path)]));
}

/** What is between the brackets of `providers`. */
function providers(tree: UnitTestTree): string {
  return /providers: \[\n?(.*?),?\s*\]\s*\}/s.exec(tree.readText(config))![1];
}

function replace(path: string, what: string, by: string): void {
  const text = app.readText(path);
  expect(text).toContain(what);
  app.overwrite(path, text.replace(what, by));
}

it('writes what docs/angular.md says that it writes', async () => {
  const page = readFileSync(join(library, '../../../docs/angular.md'), 'utf8');
  const shown = [...page.matchAll(/<!-- ng add writes (\S+) -->\n```\w+\n(.*?)```/gs)];
  const tree = await add();
  expect(shown.length).toBeGreaterThan(2);
  for (const [, path, code] of shown) expect(tree.readText(path)).toContain(code);
});

describe('ng add', () => {
  it('provides Keywright and the interceptor, beside what was provided', async () => {
    const tree = await add({ issuer: 'https://id.example.com', clientId: 'n', api: ['/api', 'https://api.example.com/'] });
    expect(providers(tree)).toBe(`\
    provideBrowserGlobalErrorListeners(),
    provideRouter(routes),
    provideHttpClient(withInterceptors([keywrightInterceptor])),
    provideKeywright({
      issuer: 'https://id.example.com', // sends people back to /callback
      clientId: 'n',
      apis: ['/api', 'https://api.example.com/'], // base URLs of the APIs that get the access token
    })`);
    expect(tree.readText(config)).toContain(`import { provideHttpClient, withInterceptors } from '@angular/common/http';`);
    expect(tree.readText(config)).toContain(`import { keywrightInterceptor, provideKeywright } from '@keywright/angular';`);
  });

  it('takes keywright dev for the issuer, and the name of the project for the client id', async () => {
    expect(providers(await add())).toMatch(/issuer: 'http:\/\/localhost:10101',.*clientId: 'notes',.*apis: \[\]/s);
  });

  it('makes of a scoped name a client id that Keywright takes', async () => {
    const tree = await add({}, await application('@acme/admin', '', await workspace()));
    expect(providers(tree)).toContain(`clientId: 'acme-admin'`);
    expect(said.join('')).toContain('client add --id acme-admin ');
  });

  it('writes any URL as a string that TypeScript reads', async () => {
    expect(providers(await add({ api: [`/Ada's \\ notes`] }))).toContain(`apis: ['/Ada\\'s \\\\ notes']`);
  });

  it('shows the sign-in button at the top of the app', async () => {
    const tree = await add();
    expect(tree.readText('/src/app/app.html')).toMatch(/^<header>\n  <app-sign-in-button \/>\n<\/header>\n/);
    expect(tree.readText('/src/app/app.ts')).toContain('imports: [RouterOutlet, SignInButton]');
    expect(tree.readText('/src/app/app.ts')).toContain(`import { SignInButton } from './sign-in-button/sign-in-button';`);
    expect(tree.readText('/src/app/sign-in-button/sign-in-button.ts')).toContain(`selector: 'app-sign-in-button'`);
  });

  it('names components by the prefix of the project', async () => {
    const tree = await add({}, await application('bills', '', await workspace(), { prefix: 'bill' }));
    expect(tree.readText('/src/app/app.html')).toContain('<bill-sign-in-button />');
    expect(tree.readText('/src/app/profile/profile.ts')).toContain(`selector: 'bill-profile'`);
  });

  it('makes a guarded page, whose route comes before any that matches everything', async () => {
    replace(routes, '[]', `[{ path: '**', redirectTo: '' }]`);
    const tree = await add();
    expect(tree.readText(routes)).toContain(`import { keywrightGuard } from '@keywright/angular';`);
    expect(tree.readText(routes)).toContain(`Routes = [
  {
    path: 'profile',
    canActivate: [keywrightGuard],
    loadComponent: () => import('./profile/profile').then((m) => m.Profile),
  },{ path: '**', redirectTo: '' }]`);
  });

  it('lets the tests of the app go on', async () => {
    const spec = (await add()).readText('/src/app/app.spec.ts');
    expect(spec).toContain(`import { provideKeywrightTesting } from '@keywright/angular/testing';`);
    expect(spec).toContain('providers: [provideKeywrightTesting()],\n      imports: [App],');
  });

  it('without a user interface provides alone', async () => {
    const before = textOf(app);
    const after = textOf(await add({ skipUi: true }));
    expect(after[config]).toContain('provideKeywright({');
    expect({ ...after, [config]: '' }).toEqual({ ...before, [config]: '' });
    expect(said.join('')).toContain('open http://localhost:4200/. ');
  });

  it('says how to register the app', async () => {
    await add({ clientId: 'n' });
    expect(said.join('')).toContain(
      'keywright client add --id n --public --trusted --redirect-uri http://localhost:4200/callback --post-logout-redirect-uri http://localhost:4200/\n',
    );
    expect(said.join('')).toContain('open http://localhost:4200/profile. ');
  });

  it.each([
    ['the port', { options: { port: 4567 } }, {}, 'http://localhost:4567/'],
    ['the usual port for the one that is free', { options: { port: 0 } }, {}, 'http://localhost:4200/'],
    ['the port and TLS by default', { defaultConfiguration: 'dev, tls', configurations: { dev: { port: 4567 }, tls: { ssl: true } } }, {}, 'https://localhost:4567/'],
    ['the base href', {}, { options: { browser: 'src/main.ts', baseHref: '/notes/' } }, 'http://localhost:4200/notes/'],
    ['the base href of the build', {}, { configurations: { development: { baseHref: '/notes' } } }, 'http://localhost:4200/notes/'],
  ])('says %s that ng serve has', async (_, serve, build, url) => {
    const workspace = JSON.parse(app.readText('/angular.json'));
    const { architect } = workspace.projects.notes;
    Object.assign(architect.serve, serve);
    Object.assign(architect.build, build);
    app.overwrite('/angular.json', JSON.stringify(workspace));
    await add();
    expect(said.join('')).toContain(`--redirect-uri ${url}callback --post-logout-redirect-uri ${url}\n`);
    expect(said.join('')).toContain(`open ${url}profile. `);
  });

  it('wires an app in a folder of its own', async () => {
    const tree = await add({ project: 'bills' }, await application('bills', 'projects/bills', await workspace()));
    expect(tree.readText('/projects/bills/src/app/app.config.ts')).toContain(`clientId: 'bills'`);
    expect(tree.readText('/projects/bills/src/app/app.routes.ts')).toContain(`import('./profile/profile')`);
    expect(tree.files).toContain('/projects/bills/src/app/profile/profile.ts');
  });

  it('wires of several apps the one that is named', async () => {
    const tree = await add({ project: 'bills' }, await application('bills', 'projects/bills', app));
    expect(tree.readText('/projects/bills/src/app/app.config.ts')).toContain(`clientId: 'bills'`);
    expect(tree.readText(config)).not.toContain('eywright');
  });
});

describe('ng add to an app that has HttpClient', () => {
  it.each([
    ['provideHttpClient()', 'provideHttpClient(withInterceptors([keywrightInterceptor]))'],
    ['provideHttpClient(withFetch())', 'provideHttpClient(withFetch(), withInterceptors([keywrightInterceptor]))'],
    ['provideHttpClient(withInterceptors([]))', 'provideHttpClient(withInterceptors([keywrightInterceptor]))'],
    ['provideHttpClient(withInterceptors([log]), withFetch())', 'provideHttpClient(withInterceptors([log, keywrightInterceptor]), withFetch())'],
  ])('makes of %s: %s', async (before, after) => {
    replace(config, 'provideRouter(routes)', `${before}, provideRouter(routes)`);
    replace(config, 'import', `import { provideHttpClient } from '@angular/common/http';\nimport`);
    const tree = await add();
    expect(providers(tree)).toContain(`${after}, provideRouter(routes),`);
    expect(providers(tree).match(/provideHttpClient/g)).toHaveLength(1);
    expect(tree.readText(config).match(/@angular\/common\/http/g)).toHaveLength(1);
  });

  it('finds it in another file', async () => {
    app.create('/src/app/core.ts', `import { provideHttpClient } from '@angular/common/http';\nexport const core = [provideHttpClient()];\n`);
    replace(config, 'import', `import { core } from './core';\nimport`);
    replace(config, 'provideRouter(routes)', 'provideRouter(routes), ...core');
    const tree = await add();
    expect(tree.readText('/src/app/core.ts')).toContain('[provideHttpClient(withInterceptors([keywrightInterceptor]))]');
    expect(providers(tree)).not.toContain('provideHttpClient');
  });

  it.each(['/src/app/a-test-providers.ts', '/src/app/admin/admin.routes.ts'])('does not take that of %s for it', async (file) => {
    const other = `import { provideHttpClient } from '@angular/common/http';\nexport const providers = [provideHttpClient(withInterceptors([]))];\n`;
    app.create(file, other);
    replace(config, 'provideRouter(routes)', 'provideHttpClient(withFetch()), provideRouter(routes)');
    const tree = await add();
    expect(tree.readText(file)).toBe(other);
    expect(providers(tree)).toContain('provideHttpClient(withFetch(), withInterceptors([keywrightInterceptor])), provideRouter(routes),');
  });

  it('does not take that of a route for it', async () => {
    const route = `{ path: 'admin', providers: [provideHttpClient(withInterceptors([]), withRequestsMadeViaParent())], children: [] }`;
    replace(routes, '[]', `[${route}]`);
    const tree = await add();
    expect(tree.readText(routes)).toContain(route);
    expect(providers(tree)).toContain('provideHttpClient(withInterceptors([keywrightInterceptor])),');
  });

  it('refuses interceptors that are no array literal, and says what to do', async () => {
    replace(config, 'provideRouter(routes)', 'provideRouter(routes), provideHttpClient(withInterceptors(mine))');
    const before = textOf(app);
    await expect(add()).rejects.toThrow(/^mine in \/?src\/app\/app.config.ts is not an array literal, .* Add keywrightInterceptor to it by hand/);
    expect(textOf(app)).toEqual(before);
  });
});

describe('a second ng add', () => {
  it.each<[string, Partial<Options>]>([['with', {}], ['without', { skipUi: true }]])('changes nothing %s a user interface', async (_, options) => {
    const once = textOf(await add(options));
    expect(textOf(await add(options))).toEqual(once);
  });

  it('changes nothing in an app that went on', async () => {
    app = await add();
    replace(config, '    provideRouter(routes),\n', '');
    replace(config, '    provideBrowserGlobal', '    provideRouter(routes),\n    provideBrowserGlobal');
    replace('/src/app/app.html', '<header>', '<nav>');
    replace('/src/app/profile/profile.html', 'What the issuer says about you', 'You');
    replace(routes, 'canActivate: [keywrightGuard]', `canActivate: [requireScope('profile')]`);
    const before = textOf(app);
    expect(textOf(await add({ issuer: 'https://other.example.com' }))).toEqual(before);
  });

  it('leaves providers alone that moved to another file', async () => {
    app = await add();
    const [imports] = app.readText(config).split('export');
    app.create('/src/app/core.ts', `${imports}export const core = [${providers(app)}];`);
    app.overwrite(config, `import { core } from './core';\nexport const appConfig = {\n  providers: core\n};\n`);
    const before = textOf(app);
    expect(textOf(await add())).toEqual(before);
  });
});

describe('ng add to an app of another kind', () => {
  it('leaves a profile alone that is there', async () => {
    replace(routes, '[]', `[{ path: 'profile', component: Mine }]`);
    const before = app.readText(routes);
    const tree = await add();
    expect(tree.readText(routes)).toBe(before);
    expect(tree.exists('/src/app/profile/profile.ts')).toBe(false);
    expect(tree.readText('/src/app/app.html')).toContain('sign-in-button');
  });

  it('does not take a test for the app', async () => {
    app.create('/src/app/other.spec.ts', `import { keywrightInterceptor, provideKeywright } from '@keywright/angular';\nimport { SignInButton } from './button';\n`);
    const tree = await add();
    expect(providers(tree)).toContain('withInterceptors([keywrightInterceptor])');
    expect(providers(tree)).toContain('provideKeywright({');
    expect(tree.readText('/src/app/app.html')).toContain('sign-in-button');
  });

  it('does not take a comment for what it speaks of', async () => {
    app.create('/src/app/later.ts', `/** Later: {@link keywrightInterceptor}, SignInButton */\n// and provideKeywright\nexport const later = 'provideKeywright(';\n`);
    replace('/src/app/app.spec.ts', 'import', '// provideKeywright\nimport');
    const tree = await add();
    expect(providers(tree)).toContain('withInterceptors([keywrightInterceptor])');
    expect(providers(tree)).toContain('provideKeywright({');
    expect(tree.readText('/src/app/app.html')).toContain('sign-in-button');
    expect(tree.readText('/src/app/app.spec.ts')).toContain('provideKeywrightTesting()');
  });

  it('finds the routes of the app, and not those of a part of it', async () => {
    app.create('/src/app/a-test-providers.ts', `import { provideRouter } from '@angular/router';\nexport const providers = [provideRouter([])];\n`);
    const tree = await add();
    expect(tree.readText(routes)).toContain(`path: 'profile',`);
    expect(tree.readText('/src/app/a-test-providers.ts')).not.toContain('profile');
  });

  it('overwrites no file', async () => {
    app.create('/src/app/profile/profile.css', 'mine');
    expect((await add()).readText('/src/app/profile/profile.css')).toBe('mine');
  });

  it('adds to an inline template, and to a component without imports', async () => {
    const tree = await add({}, await application('small', '', await workspace(), { inlineTemplate: true, routing: false }));
    expect(tree.readText('/src/app/app.ts')).toMatch(/template: `<app-sign-in-button \/>/);
    expect(tree.readText('/src/app/app.ts')).toMatch(/imports: \[.*SignInButton\]/);
  });

  it('without a router makes no page, and says so', async () => {
    const tree = await add({}, await application('plain', '', await workspace(), { routing: false }));
    expect(tree.readText(config)).toContain('provideKeywright({');
    expect(tree.exists('/src/app/profile/profile.ts')).toBe(false);
    expect(said.join('\n')).toContain('No routes were found that can be edited');
    expect(said.join('')).toContain('open http://localhost:4200/. ');
  });

  it('finds routes in the configuration itself', async () => {
    replace(config, 'provideRouter(routes)', 'provideRouter([])');
    const tree = await add();
    expect(tree.readText(config)).toContain(`path: 'profile',`);
    expect(tree.readText(config)).toContain('provideKeywright({');
  });

  it('makes providers where the configuration has none', async () => {
    app.overwrite(config, 'export const appConfig = {};\n');
    expect((await add()).readText(config)).toMatch(/appConfig = \{ providers: \[provideHttpClient\(.*, provideKeywright\(\{.*\}\)\] \};/s);
  });
});

describe('ng add to an app that a server renders', () => {
  const serverRoutes = '/src/app/app.routes.server.ts';
  const profile = `{ path: 'profile', renderMode: RenderMode.Client },`;
  const callback = `{ path: 'callback', renderMode: RenderMode.Client },`;

  beforeEach(async () => {
    app = await application('notes', '', await workspace(), { ssr: true });
  });

  it('lets the server know the callback and the home page, and leaves the callback and the guarded page to the browser', async () => {
    const tree = await add();
    expect(tree.readText(routes)).toMatch(/  { path: 'callback', children: \[\] },\n  { path: '', children: \[\] },\n\];\n$/);
    expect(tree.readText(serverRoutes)).toContain(`: ServerRoute[] = [\n  ${profile}\n  ${callback}\n  {\n    path: '**',`);
    expect(tree.readText(serverRoutes)).toContain(`import { RenderMode, ServerRoute } from '@angular/ssr';`);
  });

  it('without a user interface does so for the callback alone', async () => {
    const tree = await add({ skipUi: true });
    expect(tree.readText(routes)).toContain(`[\n  { path: 'callback', children: [] },\n  { path: '', children: [] },\n];`);
    expect(tree.readText(serverRoutes)).toContain(callback);
    expect(tree.readText(serverRoutes)).not.toContain(profile);
  });

  it.each([`{ path: '', component: Home }`, `{ path: '**', component: Missing }`, '...parts', '{ matcher: home, component: Home }', '{ ...home }'])('leaves the home page of %s alone', async (route) => {
    replace(routes, '[]', `[${route}]`);
    const tree = await add();
    expect(tree.readText(routes)).toContain(`\n  { path: 'callback', children: [] },${route}]`);
  });

  it('changes nothing the second time, and nothing that was chosen', async () => {
    replace(routes, '[]', `[{ path: 'callback', component: Wait }]`);
    replace(serverRoutes, '= [', `= [{ path: 'profile', renderMode: RenderMode.Server }, `);
    app = await add();
    expect(app.readText(routes).match(/'callback'/g)).toHaveLength(1);
    expect(app.readText(serverRoutes).match(/'profile'/g)).toHaveLength(1);
    const once = textOf(app);
    expect(textOf(await add())).toEqual(once);
  });

  it('without a router says that the callback is for the server to know', async () => {
    replace(config, 'provideRouter(routes)', '');
    const before = app.readText(serverRoutes);
    expect((await add()).readText(serverRoutes)).toBe(before);
    expect(said.join('\n')).toContain('the server will answer 404 for the callback');
  });
});

describe('ng add refuses', () => {
  it('a workspace without applications', async () => {
    await expect(add({}, await workspace())).rejects.toThrow('This workspace has no application');
  });

  it('to choose between applications', async () => {
    await application('bills', 'projects/bills', app);
    await expect(add()).rejects.toThrow('Which application? Run this again with --project and one of these: notes, bills.');
  });

  it('a project that is no application', async () => {
    await expect(add({ project: 'nots' })).rejects.toThrow('This workspace has no application named nots, only notes.');
  });

  it('an issuer that is no URL', async () => {
    await expect(add({ issuer: 'id.example.com' })).rejects.toThrow('must match pattern "^https?://"');
  });

  it.each([
    ['a quote', `Ada's`],
    ['a space', 'my app'],
    ['another command', 'app;date'],
  ])('a client id with %s, which a shell would take for something else', async (_, clientId) => {
    await expect(add({ clientId })).rejects.toThrow('"/clientId" must match pattern');
  });

  it('an app of NgModules, and says what to do by hand', async () => {
    const old = await application('old', '', await workspace(), { standalone: false });
    const before = textOf(old);
    await expect(add({}, old)).rejects.toThrow(
      `src/main.ts does not call bootstrapApplication, so nothing was changed. Add provideKeywright({ issuer: '…', clientId: '…' })`,
    );
    expect(textOf(old)).toEqual(before);
  });

  it('a configuration that it cannot read', async () => {
    replace('/src/main.ts', 'appConfig)', 'configure())');
    await expect(add()).rejects.toThrow('no configuration that can be edited');
  });
});
