import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

const nodeGlobals = ['Buffer', 'process', 'require', '__dirname', 'setImmediate'].map((name) => ({
  name,
  message: 'The core runs in browsers.',
}));

export default tseslint.config(
  { ignores: ['dist', 'site', 'node_modules', 'examples/angular'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  { files: ['src/**/*.ts'], ...rxjsX.configs.strict },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/local/**', 'src/cli/**'],
    rules: {
      'no-restricted-globals': ['error', ...nodeGlobals],
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: 'The core runs in browsers.' }] }],
    },
  },
  {
    // Byte loops index within bounds by construction; under noUncheckedIndexedAccess the alternative to `!` is a branch per byte.
    files: [
      'src/event-stream/crc32.ts',
      'src/event-stream/message-decoder.ts',
      'test/**/*.ts',
      'bench/**/*.ts',
      'soak/**/*.ts',
    ],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  { files: ['test/**/*.ts', 'bench/**/*.ts', 'soak/**/*.ts', 'examples/**/*.ts'], ...rxjsX.configs.recommended },
  {
    // Examples are read more than run: no annotation that a reader's own code would not need.
    files: ['examples/**/*.ts'],
    rules: { '@typescript-eslint/require-await': 'off', 'rxjs-x/no-implicit-any-catch': 'off' },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
