/** @type {import('jest').Config} */
module.exports = {
  preset: 'jest-preset-angular',
  setupFilesAfterEnv: ['<rootDir>/setup-jest.ts'],
  testEnvironment: '<rootDir>/jest-environment.cjs',
  // ES modules, which become CommonJS: Angular's packages, and this entry point with the files that it shares.
  transformIgnorePatterns: ['node_modules/(?!(?:.*\\.mjs$|rx-lambda-stream/dist/[^/]+\\.js$))'],
};
