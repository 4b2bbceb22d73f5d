import { describe, test } from 'vitest';
import { openMemoryLog } from '../../src/log/memory-log.js';
import { createMemoryStore } from '../../src/log/memory-store.js';
import { invocationLogCases } from '../../src/testing/invocation-log-cases.js';

describe('the memory log', () => {
  test.each(invocationLogCases)('$name', async ({ run }) => {
    const store = createMemoryStore();
    await run(() => openMemoryLog(store));
  });
});
