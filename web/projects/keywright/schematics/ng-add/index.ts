import { chain, noop, type Rule } from '@angular-devkit/schematics';
import { findApp, type App } from './app';
import { addProfile } from './profile';
import { addInterceptor, addKeywright } from './providers';
import { findRoutes, hasRoute } from './routes';
import { addCallback } from './server-rendering';
import { addSignInButton } from './sign-in-button';
import { filesThatImport } from './source';

/** What schema.json describes. */
export interface Options {
  readonly project?: string;
  readonly issuer: string;
  readonly clientId?: string;
  readonly api?: readonly string[];
  readonly skipUi?: boolean;
}

/** Signs the people of an app in: its providers, a sign-in button, and a page that asks to be signed in. */
export function ngAdd(options: Options): Rule {
  return async (tree) => {
    const app = await findApp(tree, options.project);
    const { issuer, clientId, api: apis = [] } = options;
    const config = { issuer, clientId: clientId || clientIdOf(app), apis };
    const wasThere = filesThatImport(tree, app.sourceRoot, 'provideKeywright').length > 0;
    return chain([
      addInterceptor(app),
      addKeywright(app, config),
      addCallback(app),
      options.skipUi ? noop() : chain([addSignInButton(app), addProfile(app)]),
      wasThere ? sayThatItWasThere() : sayWhatIsNext(app, config.clientId),
    ]);
  };
}

/** The project's name in the characters that a client id may have: `acme-admin` for `@acme/admin`. */
function clientIdOf({ name }: App): string {
  return name.replace(/^@/, '').replaceAll(/[^\w.~-]/g, '-');
}

function sayThatItWasThere(): Rule {
  return (_, { logger }) => logger.info('provideKeywright is already in the app and was left as it is: change the issuer or the client id there.');
}

function sayWhatIsNext(app: App, clientId: string): Rule {
  return (tree, { logger }) => {
    const { name, url } = app;
    const routes = findRoutes(tree, app);
    const page = routes && hasRoute(routes, 'profile') ? 'profile' : '';
    logger.info(`
${name} is set up to sign people in with Keywright. Register it there:

  keywright client add --id ${clientId} --public --trusted --redirect-uri ${url}callback --post-logout-redirect-uri ${url}

Then run ng serve, and open ${url}${page}. More: https://github.com/keywright/keywright/blob/main/docs/angular.md
`);
  };
}
