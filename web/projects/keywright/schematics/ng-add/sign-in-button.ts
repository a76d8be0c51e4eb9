import { chain, SchematicsException, type Rule, type Tree } from '@angular-devkit/schematics';
import { getDecoratorMetadata, getMetadataField } from '@schematics/angular/utility/ast-utils';
import { getSourceFile } from '@schematics/angular/utility/standalone/util';
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';
import type { App } from './app';
import { writeFiles } from './files';
import { addToProperty, callsIn, edit, filesThatImport, importsName, insert } from './source';

/** Adds a button to the top of the app, unless it is somewhere in it already, and lets its tests go on without an issuer. */
export function addSignInButton(app: App): Rule {
  return (tree) => {
    if (filesThatImport(tree, app.sourceRoot, 'SignInButton').length > 0) return;
    return chain([writeFiles(app, 'sign-in-button'), show(app), adaptTests(app)]);
  };
}

function show({ component, prefix }: App): Rule {
  return (tree) => {
    const metadata = metadataOf(tree, component);
    const tag = `<${prefix}-sign-in-button />`;
    const [url] = getMetadataField(metadata, 'templateUrl');
    const [template] = getMetadataField(metadata, 'template');
    const insertions = [addToProperty(metadata, 'imports', 'SignInButton')];
    if (template) insertions.push({ at: template.initializer.getStart() + 1, text: tag });
    edit(tree, metadata, insertions, { './sign-in-button/sign-in-button': ['SignInButton'] });
    if (url && ts.isStringLiteralLike(url.initializer)) {
      insert(tree, join(dirname(component), url.initializer.text), [{ at: 0, text: `<header>\n  ${tag}\n</header>\n\n` }]);
    }
  };
}

function metadataOf(tree: Tree, component: string): ts.ObjectLiteralExpression {
  const [metadata] = getDecoratorMetadata(getSourceFile(tree, component), 'Component', '@angular/core');
  if (metadata && ts.isObjectLiteralExpression(metadata)) return metadata;
  throw new SchematicsException(`${component} has no component that can be edited, so nothing was changed: run this again with --skip-ui.`);
}

/** A test that renders the app renders the button too. */
function adaptTests({ component }: App): Rule {
  return (tree) => {
    const spec = component.replace(/\.ts$/, '.spec.ts');
    if (!tree.exists(spec) || ['provideKeywright', 'provideKeywrightTesting'].some((name) => importsName(tree, spec, name))) return;
    const source = getSourceFile(tree, spec);
    const insertions = callsIn(source, 'TestBed.configureTestingModule')
      .flatMap((call) => call.arguments.filter(ts.isObjectLiteralExpression))
      .map((module) => addToProperty(module, 'providers', 'provideKeywrightTesting()'));
    if (insertions.length > 0) edit(tree, source, insertions, { '@keywright/angular/testing': ['provideKeywrightTesting'] });
  };
}
