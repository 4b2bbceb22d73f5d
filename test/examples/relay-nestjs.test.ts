import { test } from 'vitest';
import { tryReports } from './try-reports.js';

test(
  'the NestJS application relays one report to all who ask, at their pace',
  () => tryReports('examples/relay-nestjs/tsconfig.json'),
  60_000,
);
