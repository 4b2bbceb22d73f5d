import { afterEach, expect, test, vi } from 'vitest';
import { createClient } from '../../src/cli/invoke/invoke.js';

afterEach(() => void vi.unstubAllEnvs());

const none = { endpoint: undefined, region: undefined, profile: undefined };

test('a loopback endpoint needs neither region nor credentials', async () => {
  for (const endpoint of ['http://127.0.0.1:3001', 'http://localhost:3001', 'http://[::1]:3001']) {
    const client = createClient({ ...none, endpoint });
    expect(await client.config.region()).toBe('us-east-1');
    expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'local' });
  }
});

test('another endpoint is called with the ordinary credentials', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'from-the-environment');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const client = createClient({ ...none, endpoint: 'https://lambda.example', region: 'eu-west-1' });
  expect(await client.config.region()).toBe('eu-west-1');
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'from-the-environment' });
});

test('a profile is the one of the AWS configuration', () => {
  vi.stubEnv('AWS_PROFILE', 'before');
  createClient({ ...none, profile: 'mine' });
  expect(process.env['AWS_PROFILE']).toBe('mine');
});
