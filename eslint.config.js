import rxjsX from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

const nodeGlobals = ['Buffer', 'process', 'require', '__dirname', 'setImmediate'].map((name) => ({
  name,
  message: 'The core runs in browsers.',
}));

const nodeOnly = [{ group: ['node:*'], message: 'The core runs in browsers.' }];

/** Rooms that run in Node only. */
const nodeRooms = ['src/local/**', 'src/cli/**', 'src/redis/**'];

/**
 * The layers, from the ground up: each room may import from itself, from events.ts and errors.ts, and from the rooms
 * named. docs/architecture.md shows the picture.
 */
const layers = {
  shared: [],
  'event-stream': ['shared'],
  invoke: ['shared', 'event-stream'],
  decoding: ['shared'],
  consumers: ['shared', 'decoding'],
  retry: ['shared'],
  log: ['shared', 'retry'],
  http: ['shared', 'event-stream', 'invoke', 'decoding', 'retry', 'log'],
  redis: ['shared', 'log'],
  relay: ['shared', 'event-stream', 'invoke', 'decoding', 'consumers', 'retry', 'log', 'http'],
  otel: ['shared', 'invoke', 'consumers'],
  angular: ['shared', 'invoke', 'consumers', 'decoding'],
  testing: ['shared', 'invoke', 'log'],
  local: ['shared', 'event-stream'],
  cli: ['local', 'shared', 'event-stream', 'invoke', 'decoding', 'consumers', 'retry', 'http', 'index\\.js'],
};

/** The files of the ground floor import each other and nothing else of the package. errors.ts is the errors' door. */
const groundFloor = ['events', 'errors', 'lambda-stream-error', 'invocation-errors', 'payload-errors', 'log-errors'];
const ground = {
  files: groundFloor.map((name) => `src/${name}.ts`),
  rules: importRule([], {
    regex: `^\\./(?!(${groundFloor.join('|')})\\.js$)`,
    message: 'Nothing stands below the ground floor.',
  }),
};

const rooms = Object.entries(layers).flatMap(([room, below]) => {
  const isNode = nodeRooms.includes(`src/${room}/**`);
  const allowed = ['events\\.js', 'errors\\.js', ...below].join('|');
  const message = `${room}/ may import from ${['events.ts', 'errors.ts', ...below].join(', ')}: arrows go down.`;
  const inRoom = (depth) => ({
    // A file in a wing is one level deeper.
    files: [`src/${room}/${'*/'.repeat(depth)}*.ts`],
    rules: importRule(isNode ? [] : nodeOnly, {
      regex: `^${'\\.\\./'.repeat(depth + 1)}(?!\\.\\./)(?!(${allowed})(/|$))`,
      message,
    }),
  });
  return [inRoom(0), inRoom(1)];
});

function importRule(others, pattern) {
  return { 'no-restricted-imports': ['error', { patterns: [...others, pattern] }] };
}

export default tseslint.config(
  // Handler files are written for Lambda's runtime, which provides their globals.
  {
    ignores: [
      ...['dist', 'site', 'coverage', 'node_modules', 'examples/functions/*.mjs'],
      // They have packages of their own.
      ...['examples/angular', 'examples/angular-jest', 'examples/jest', 'examples/ag-ui', 'examples/ai-sdk'],
      'test/angular-21',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-len': ['error', { code: 120, ignoreRegExpLiterals: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  { files: ['src/**/*.ts'], ...rxjsX.configs.strict },
  {
    files: ['src/**/*.ts'],
    ignores: nodeRooms,
    rules: { 'no-restricted-globals': ['error', ...nodeGlobals] },
  },
  ground,
  ...rooms,
  {
    // Byte loops index within bounds by construction: with noUncheckedIndexedAccess the alternative to `!` is a branch
    // per byte.
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
