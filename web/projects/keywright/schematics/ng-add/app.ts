import { SchematicsException, type Tree } from '@angular-devkit/schematics';
import { readWorkspace, type ProjectDefinition, type TargetDefinition } from '@schematics/angular/utility';
import { isStandaloneApp } from '@schematics/angular/utility/ng-ast-utils';
import { resolveBootstrappedComponentData } from '@schematics/angular/utility/standalone/app_component';
import { findAppConfig } from '@schematics/angular/utility/standalone/app_config';
import { findBootstrapApplicationCall, getMainFilePath } from '@schematics/angular/utility/standalone/util';
import { join } from 'node:path/posix';
import { imported, importsOf } from './source';

/** An application of the workspace, made of standalone components. */
export interface App {
  readonly name: string;
  readonly prefix: string;
  /** Where `ng serve` shows it, with a slash at the end. */
  readonly url: string;
  readonly sourceRoot: string;
  /** Calls bootstrapApplication. */
  readonly main: string;
  /** The files that may provide for the whole app: its configuration, main, and what the configuration imports. */
  readonly wiring: readonly string[];
  /** Has the root component. */
  readonly component: string;
}

/** @throws SchematicsException if there is none that can be wired, before anything was changed */
export async function findApp(tree: Tree, wanted: string | undefined): Promise<App> {
  const [name, project] = await findProject(tree, wanted);
  const main = await getMainFilePath(tree, name);
  if (!isStandaloneApp(tree, main)) throw byHand(`${main} does not call bootstrapApplication`);
  const config = findAppConfig(findBootstrapApplicationCall(tree, main), tree, main);
  if (!config) throw byHand(`${main} passes bootstrapApplication no configuration that can be edited, such as appConfig`);
  const root = resolveBootstrappedComponentData(tree, main);
  const component = root && imported(tree, main, root.componentImportPathInSameFile);
  if (!component) throw byHand(`${main} imports no root component`);
  const wiring = [config.filePath, main, ...importsOf(tree, config.filePath)];
  const sourceRoot = project.sourceRoot ?? join(project.root, 'src');
  return { name, prefix: project.prefix || 'app', url: urlOf(project), sourceRoot, main, wiring, component };
}

function urlOf({ targets }: ProjectDefinition): string {
  const { port, ssl, buildTarget } = optionsOf(targets.get('serve'));
  const [, , configurations] = String(buildTarget).split(':');
  const { baseHref } = optionsOf(targets.get('build'), configurations);
  const base = String(baseHref ?? '').replace(/\/?$/, '/');
  return new URL(base, `${ssl ? 'https' : 'http'}://localhost:${port || 4200}`).href;
}

/** What a target is run with: of its configurations, such as `development,tls`, the last one holds. */
function optionsOf(target: TargetDefinition | undefined, configurations = target?.defaultConfiguration ?? ''): TargetDefinition['options'] & {} {
  const chosen = configurations.split(',').map((name) => target?.configurations?.[name.trim()]);
  return Object.assign({}, target?.options, ...chosen);
}

async function findProject(tree: Tree, wanted: string | undefined): Promise<[string, ProjectDefinition]> {
  const { projects } = await readWorkspace(tree);
  const apps = [...projects].filter(([, { extensions }]) => extensions['projectType'] === 'application');
  if (apps.length === 0) throw new SchematicsException('This workspace has no application: create one with ng generate application first.');
  const found = wanted === undefined && apps.length === 1 ? apps[0] : apps.find(([name]) => name === wanted);
  if (found) return found;
  const names = apps.map(([name]) => name).join(', ');
  if (wanted === undefined) throw new SchematicsException(`Which application? Run this again with --project and one of these: ${names}.`);
  throw new SchematicsException(`This workspace has no application named ${wanted}, only ${names}.`);
}

function byHand(problem: string): SchematicsException {
  return new SchematicsException(
    `${problem}, so nothing was changed. Add provideKeywright({ issuer: '…', clientId: '…' }) and ` +
      `provideHttpClient(withInterceptors([keywrightInterceptor])) by hand to the providers of the app, or of its NgModule.`,
  );
}
