// Compresses the built apps as a production web server does: each file has a .br beside it.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

for (const file of globSync(`${import.meta.dirname}/dist/{demo,second}/**/*.{html,js,css,svg}`)) {
  writeFileSync(file + '.br', brotliCompressSync(readFileSync(file)));
}
