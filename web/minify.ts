// Minifies the widget as it is packed: pages without a bundler load it as it is.
import { build } from 'esbuild';

const file = `${import.meta.dirname}/dist/keywright/fesm2022/keywright-angular-element.mjs`;
await build({ entryPoints: [file], outfile: file, allowOverwrite: true, minify: true, sourcemap: true, format: 'esm' });
