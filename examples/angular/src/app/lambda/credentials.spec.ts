import { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { credentialsOf } from './credentials';

const region = 'us-east-1';

describe('the credentials', () => {
  it('are the fixed ones of a local endpoint', async () => {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = new LambdaClient({ region, credentials: credentialsOf({ region, credentials }) });
    expect(await client.config.credentials()).toMatchObject(credentials);
  });

  it('are an error that says what is missing, where there are none', async () => {
    const client = new LambdaClient({ region, credentials: credentialsOf({ region }) });
    await expect(client.config.credentials()).rejects.toThrow('config.json has neither');
  });
});
