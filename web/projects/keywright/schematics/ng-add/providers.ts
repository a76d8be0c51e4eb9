import type { Rule, Tree } from '@angular-devkit/schematics';
import { findAppConfig } from '@schematics/angular/utility/standalone/app_config';
import { findBootstrapApplicationCall } from '@schematics/angular/utility/standalone/util';
import type { App } from './app';
import { addToArray, addToList, addToProperty, callsIn, edit, filesThatImport, findCall, type Imports, quoted } from './source';

const http = '@angular/common/http';
const library = '@keywright/angular';

/** What provideKeywright is given. */
export interface Config {
  readonly issuer: string;
  readonly clientId: string;
  readonly apis: readonly string[];
}

/** Lets HttpClient send the access token, beside what the app has told it already. */
export function addInterceptor({ sourceRoot, main, wiring }: App): Rule {
  return (tree) => {
    if (filesThatImport(tree, sourceRoot, 'keywrightInterceptor').length > 0) return;
    const client = findCall(tree, wiring, 'provideHttpClient');
    const [interceptors] = client ? callsIn(client, 'withInterceptors') : [];
    if (interceptors) {
      edit(tree, interceptors, [addToArray(interceptors.arguments[0], 'keywrightInterceptor')], { [library]: ['keywrightInterceptor'] });
    } else if (client) {
      const feature = addToList(client.arguments, client.getEnd() - 1, 'withInterceptors([keywrightInterceptor])');
      edit(tree, client, [feature], { [http]: ['withInterceptors'], [library]: ['keywrightInterceptor'] });
    } else {
      const imports = { [http]: ['provideHttpClient', 'withInterceptors'], [library]: ['keywrightInterceptor'] };
      addProvider(tree, main, 'provideHttpClient(withInterceptors([keywrightInterceptor]))', imports);
    }
  };
}

export function addKeywright({ sourceRoot, main }: App, { issuer, clientId, apis }: Config): Rule {
  return (tree) => {
    if (filesThatImport(tree, sourceRoot, 'provideKeywright').length > 0) return;
    const code = `provideKeywright({
      issuer: ${quoted(issuer)}, // sends people back to /callback
      clientId: ${quoted(clientId)},
      apis: [${apis.map(quoted).join(', ')}], // base URLs of the APIs that get the access token
    })`;
    addProvider(tree, main, code, { [library]: ['provideKeywright'] });
  };
}

function addProvider(tree: Tree, main: string, code: string, imports: Imports): void {
  const { node } = findAppConfig(findBootstrapApplicationCall(tree, main), tree, main)!;
  edit(tree, node, [addToProperty(node, 'providers', code)], imports);
}
