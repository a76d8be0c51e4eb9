import { constructorParametersDownlevelTransform } from '@angular/compiler-cli/private/tooling';
import ts from 'typescript';
import { defineConfig, type Plugin } from 'vitest/config';

/** Tells of signal inputs and outputs, as the CLI does where it does not compile templates ahead of time. */
const signalInputs: Plugin = {
  name: 'signal-inputs',
  enforce: 'pre',
  transform(_, id) {
    if (!/\/ui\/src\/.+(?<!\.spec)\.ts$/.test(id)) return;
    const program = ts.createProgram([id], { noResolve: true, noLib: true, target: ts.ScriptTarget.ES2022, experimentalDecorators: true });
    const { transformed } = ts.transform(program.getSourceFile(id)!, [constructorParametersDownlevelTransform(program)]);
    return ts.createPrinter().printFile(transformed[0]);
  },
};

export default defineConfig({
  plugins: [signalInputs],
  resolve: {
    alias: {
      '@keywright/angular/element': `${import.meta.dirname}/element/src/public-api.ts`,
      '@keywright/angular/testing': `${import.meta.dirname}/testing/src/public-api.ts`,
      '@keywright/angular': `${import.meta.dirname}/src/public-api.ts`,
    },
  },
  test: {
    environment: 'jsdom',
    environmentOptions: { jsdom: { url: 'https://app.example.com/' } },
    include: ['{src,testing,examples,element,ui,schematics}/**/*.spec.ts'],
    setupFiles: ['spec/setup.ts'],
    reporters: ['default', './gotest.ts'],
    restoreMocks: true,
    unstubGlobals: true,
    typecheck: { enabled: false },
  },
});
