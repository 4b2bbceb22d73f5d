/** @type {import('jest').Config} */
module.exports = {
  transform: { '^.+\\.ts$': 'ts-jest' },
  // `import './answer.js'` means answer.ts.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};
