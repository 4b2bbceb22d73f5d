import { defineConfig } from 'vitest/config';

/** The tests of the package as it is published. They need `npm run build`. */
export default defineConfig({
  test: { include: ['test/package/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
});
