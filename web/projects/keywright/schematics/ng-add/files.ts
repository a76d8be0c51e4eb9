import { apply, applyTemplates, forEach, mergeWith, move, url, type Rule } from '@angular-devkit/schematics';
import { dirname } from 'node:path/posix';
import type { App } from './app';

/** Writes a component of files/ beside the root component; what is there already stays as it is. */
export function writeFiles({ component, prefix }: App, name: string): Rule {
  return (tree) =>
    mergeWith(
      apply(url(`./files/${name}`), [
        applyTemplates({ prefix }),
        move(`${dirname(component)}/${name}`),
        forEach((file) => (tree.exists(file.path) ? null : file)),
      ]),
    );
}
