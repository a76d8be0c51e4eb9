import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { '@keywright/angular': `${import.meta.dirname}/src/public-api.ts` } },
  test: {
    environment: 'jsdom',
    environmentOptions: { jsdom: { url: 'https://app.example.com/' } },
    include: ['{src,testing}/**/*.spec.ts'],
    setupFiles: ['spec/setup.ts'],
    reporters: ['default', './gotest.ts'],
    restoreMocks: true,
    unstubGlobals: true,
    typecheck: { enabled: false },
  },
});
