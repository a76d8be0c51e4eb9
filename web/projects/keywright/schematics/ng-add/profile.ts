import { chain, noop, type Rule, type Tree } from '@angular-devkit/schematics';
import { findNodes, getMetadataField } from '@schematics/angular/utility/ast-utils';
import { getSourceFile } from '@schematics/angular/utility/standalone/util';
import { join, relative } from 'node:path/posix';
import ts from 'typescript';
import type { App } from './app';
import { writeFiles } from './files';
import { edit, findCall, imported } from './source';

/** Adds a page that only people see who are signed in, unless the app has a route of that name. */
export function addProfile(app: App): Rule {
  return (tree, { logger }) => {
    const routes = findRoutes(tree, app);
    if (!routes) {
      logger.warn('No routes were found that can be edited, so no page was made. To guard one: canActivate: [keywrightGuard].');
      return noop();
    }
    return hasProfile(routes) ? noop() : chain([writeFiles(app, 'profile'), addRoute(app, routes)]);
  };
}

function addRoute({ component }: App, routes: ts.ArrayLiteralExpression): Rule {
  return (tree) => {
    const module = relative(join('/', routes.getSourceFile().fileName, '..'), join('/', component, '../profile/profile'));
    const code = `
  {
    path: 'profile',
    canActivate: [keywrightGuard],
    loadComponent: () => import('${module.startsWith('.') ? module : './' + module}').then((m) => m.Profile),
  },`;
    const last = routes.elements.length === 0 ? '\n' : '';
    edit(tree, routes, [{ at: routes.getStart() + 1, text: code + last }], { '@keywright/angular': ['keywrightGuard'] });
  };
}

function hasProfile(routes: ts.ArrayLiteralExpression): boolean {
  return routes.elements
    .filter(ts.isObjectLiteralExpression)
    .flatMap((route) => getMetadataField(route, 'path'))
    .some(({ initializer }) => ts.isStringLiteralLike(initializer) && initializer.text === 'profile');
}

/** The array that provideRouter is given: there, as a variable of that file, or of one that it imports. */
function findRoutes(tree: Tree, { sourceRoot }: App): ts.ArrayLiteralExpression | undefined {
  const given = findCall(tree, sourceRoot, 'provideRouter')?.arguments[0];
  if (!given || !ts.isIdentifier(given)) return arrayOf(given);
  const source = given.getSourceFile();
  const [specifier] = findNodes(source, ts.isImportSpecifier, Infinity, true).filter(({ name }) => name.text === given.text);
  if (!specifier) return variable(source, given.text);
  const from = specifier.parent.parent.parent.moduleSpecifier;
  const path = ts.isStringLiteral(from) && from.text.startsWith('.') ? imported(tree, source.fileName, from.text) : undefined;
  return path ? variable(getSourceFile(tree, path), (specifier.propertyName ?? specifier.name).text) : undefined;
}

function variable(source: ts.SourceFile, name: string): ts.ArrayLiteralExpression | undefined {
  const [declaration] = findNodes(source, ts.isVariableDeclaration, Infinity, true).filter((variable) => variable.name.getText() === name);
  return arrayOf(declaration?.initializer);
}

function arrayOf(value: ts.Expression | undefined): ts.ArrayLiteralExpression | undefined {
  if (value && (ts.isAsExpression(value) || ts.isSatisfiesExpression(value))) return arrayOf(value.expression);
  return value && ts.isArrayLiteralExpression(value) ? value : undefined;
}
