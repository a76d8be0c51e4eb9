import { SchematicsException, type Tree } from '@angular-devkit/schematics';
import { findNodes, getMetadataField, insertImport } from '@schematics/angular/utility/ast-utils';
import { applyChangesToFile, getSourceFile } from '@schematics/angular/utility/standalone/util';
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';

/** A text that a file lacks, and where. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** Names by the module that has them. */
export type Imports = Readonly<Record<string, readonly string[]>>;

/** The file that a relative import means, if there is one. */
export function imported(tree: Tree, by: string, from: string): string | undefined {
  if (!from.startsWith('.')) return undefined;
  const path = join(dirname(by), from);
  return [`${path}.ts`, `${path}/index.ts`].find((file) => tree.exists(file));
}

/** The files that a file imports, packages aside. */
export function importsOf(tree: Tree, file: string): string[] {
  const declarations = getSourceFile(tree, file).statements.filter(ts.isImportDeclaration);
  return declarations.flatMap(({ moduleSpecifier }) => imported(tree, file, textOf(moduleSpecifier)) ?? []);
}

/** The files below a folder that import a name, tests aside. */
export function filesThatImport(tree: Tree, folder: string, name: string): string[] {
  const files: string[] = [];
  tree.getDir(folder).visit((path) => {
    if (path.endsWith('.ts') && !path.endsWith('.spec.ts') && importsName(tree, path, name)) files.push(path);
  });
  return files;
}

export function importsName(tree: Tree, file: string, wanted: string): boolean {
  if (!tree.readText(file).includes(wanted)) return false; // to parse every file takes long
  const specifiers = findNodes(getSourceFile(tree, file), ts.isImportSpecifier, Infinity, true);
  return specifiers.some(({ name, propertyName }) => (propertyName ?? name).text === wanted);
}

/** The first call of a function in some files, but for those that provide for a route alone. */
export function findCall(tree: Tree, files: readonly string[], name: string): ts.CallExpression | undefined {
  return files.flatMap((file) => callsIn(getSourceFile(tree, file), name)).find((call) => !isOfRoute(call));
}

function isOfRoute(call: ts.CallExpression): boolean {
  const isRoute = (node: ts.Node) => ts.isObjectLiteralExpression(node) && getMetadataField(node, 'path').length > 0;
  return ts.findAncestor(call, isRoute) !== undefined;
}

/** The calls of a function, or of a method as it is written. */
export function callsIn(node: ts.Node, name: string): ts.CallExpression[] {
  return findNodes(node, ts.isCallExpression, Infinity, true).filter(({ expression }) => expression.getText() === name);
}

/** Edits the file that a node is of. */
export function edit(tree: Tree, node: ts.Node, insertions: readonly Insertion[], imports: Imports): void {
  const { fileName } = node.getSourceFile();
  insert(tree, fileName, insertions);
  for (const [from, names] of Object.entries(imports)) {
    for (const name of names) applyChangesToFile(tree, fileName, [insertImport(getSourceFile(tree, fileName), fileName, name, from)]);
  }
}

export function insert(tree: Tree, path: string, insertions: readonly Insertion[]): void {
  const recorder = tree.beginUpdate(path);
  for (const { at, text } of insertions) recorder.insertLeft(at, text);
  tree.commitUpdate(recorder);
}

/** Adds to the array that a property of an object is, or makes the property. */
export function addToProperty(object: ts.ObjectLiteralExpression, property: string, element: string): Insertion {
  const [assignment] = getMetadataField(object, property);
  if (assignment) return addToArray(assignment.initializer, element);
  const [first] = object.properties;
  return { at: object.getStart() + 1, text: `${first ? spaceBefore(first) : ' '}${property}: [${element}]${first ? ',' : ' '}` };
}

/** @throws SchematicsException if it is no array literal */
export function addToArray(array: ts.Expression, element: string): Insertion {
  if (ts.isArrayLiteralExpression(array)) return addToList(array.elements, array.getStart() + 1, element);
  const place = `${array.getText()} in ${array.getSourceFile().fileName}`;
  throw new SchematicsException(`${place} is not an array literal, so nothing was changed. Add ${element} to it by hand, then run this again.`);
}

/** Adds to the end of a list that begins somewhere, be it of elements or of arguments. */
export function addToList(list: ts.NodeArray<ts.Node>, start: number, element: string): Insertion {
  const last = list.at(-1);
  return last ? { at: last.getEnd(), text: `,${spaceBefore(last)}${element}` } : { at: start, text: element };
}

/** The line break and the indentation before a node, or a space. */
function spaceBefore(node: ts.Node): string {
  return /\r?\n[ \t]*$/.exec(node.getSourceFile().text.slice(0, node.getStart()))?.[0] ?? ' ';
}

/** What a string literal says. */
export function textOf(literal: ts.Expression): string {
  return ts.isStringLiteralLike(literal) ? literal.text : '';
}

/** A string literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
