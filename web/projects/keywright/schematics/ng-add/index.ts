import { chain, noop, type Rule } from '@angular-devkit/schematics';
import { findApp, type App } from './app';
import { addProfile } from './profile';
import { addInterceptor, addKeywright } from './providers';
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
    const { issuer, clientId = '', api: apis = [] } = options;
    const config = { issuer, clientId: clientId || app.name, apis };
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

function sayThatItWasThere(): Rule {
  return (_, { logger }) => logger.info('provideKeywright is there already, and was left as it is: change its issuer or clientId there.');
}

function sayWhatIsNext({ name }: App, clientId: string): Rule {
  return (_, { logger }) =>
    logger.info(`
${name} signs people in with Keywright. Register it there:

  keywright client add --id ${clientId} --public --trusted --redirect-uri http://localhost:4200/callback --post-logout-redirect-uri http://localhost:4200/

Then run ng serve, and open http://localhost:4200/profile. More: https://github.com/keywright/keywright/blob/main/docs/angular.md
`);
}
