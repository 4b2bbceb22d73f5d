const common = {
  transform: { '^.+\\.ts$': '@swc/jest' },
  // `import './answer.js'` means answer.ts.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    { ...common, displayName: 'node' },
    { ...common, displayName: 'jsdom', testEnvironment: '<rootDir>/jest-environment.cjs' },
  ],
};
