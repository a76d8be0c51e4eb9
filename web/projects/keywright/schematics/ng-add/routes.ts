import type { Tree } from '@angular-devkit/schematics';
import { findNodes, getMetadataField } from '@schematics/angular/utility/ast-utils';
import { getSourceFile } from '@schematics/angular/utility/standalone/util';
import ts from 'typescript';
import type { App } from './app';
import { findCall, imported, type Insertion, textOf } from './source';

/** The app's routes, where they can be edited. */
export function findRoutes(tree: Tree, { wiring }: App): ts.ArrayLiteralExpression | undefined {
  return routesOf(tree, findCall(tree, wiring, 'provideRouter'));
}

/** The array that a call is given: there, as a variable of that file, or of one that it imports. */
export function routesOf(tree: Tree, call: ts.CallExpression | undefined): ts.ArrayLiteralExpression | undefined {
  const given = call?.arguments[0];
  if (!given || !ts.isIdentifier(given)) return arrayOf(given);
  const source = given.getSourceFile();
  const [specifier] = findNodes(source, ts.isImportSpecifier, Infinity, true).filter(({ name }) => name.text === given.text);
  if (!specifier) return variable(source, given.text);
  const path = imported(tree, source.fileName, textOf(specifier.parent.parent.parent.moduleSpecifier));
  return path ? variable(getSourceFile(tree, path), (specifier.propertyName ?? specifier.name).text) : undefined;
}

export function hasRoute(routes: ts.ArrayLiteralExpression, ...paths: string[]): boolean {
  return routes.elements.some((route) => paths.includes(pathOf(route)!));
}

/** A route's path, if it is written there. */
export function pathOf(route: ts.Expression): string | undefined {
  const [path] = ts.isObjectLiteralExpression(route) ? getMetadataField(route, 'path') : [];
  return path && ts.isPropertyAssignment(path) && ts.isStringLiteralLike(path.initializer) ? path.initializer.text : undefined;
}

/** Adds before all others: none of them may match first. */
export function addRoutes(routes: ts.ArrayLiteralExpression, ...added: string[]): Insertion {
  const end = routes.elements.length === 0 ? '\n' : '';
  return { at: routes.getStart() + 1, text: added.map((route) => `\n  ${route},`).join('') + end };
}

function variable(source: ts.SourceFile, name: string): ts.ArrayLiteralExpression | undefined {
  const [declaration] = findNodes(source, ts.isVariableDeclaration, Infinity, true).filter((variable) => variable.name.getText() === name);
  return arrayOf(declaration?.initializer);
}

function arrayOf(value: ts.Expression | undefined): ts.ArrayLiteralExpression | undefined {
  if (value && (ts.isAsExpression(value) || ts.isSatisfiesExpression(value))) return arrayOf(value.expression);
  return value && ts.isArrayLiteralExpression(value) ? value : undefined;
}
