/** The code of the README's table "I want to …", in a program: what it takes from its surroundings is declared here. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  decodeText,
  observeInvocation,
  parseNdjson,
  parseSse,
  retryInvocation,
  shareInvocation,
  toSnapshots,
  type FlowControl,
  type InvocationReport,
  type LambdaStreamEvent,
} from 'rx-lambda-stream';
import { streamResource } from 'rx-lambda-stream/angular';
import { fetchResponseStream } from 'rx-lambda-stream/http';
import { joinInvocation } from 'rx-lambda-stream/log';
import { redisLog, type RedisLogClient } from 'rx-lambda-stream/redis';
import { createRelay, type RelayOptions } from 'rx-lambda-stream/relay';
import { fakeInvoke } from 'rx-lambda-stream/testing';
import { timeout, type Observable } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import type { z } from 'zod';

declare const response: Observable<LambdaStreamEvent>;
declare const schema: z.ZodType<{ id: number }>;
declare const params: () => string;
declare const stream: () => Observable<LambdaStreamEvent>;
declare const client: RedisLogClient;
declare const key: string;
declare const open: () => Observable<LambdaStreamEvent>;
declare const authorize: RelayOptions['authorize'];
declare const url: string;
declare const flow: FlowControl;
declare const save: (record: unknown) => Promise<void>;
declare const report: (report: InvocationReport) => void;
declare const cold: RunHelpers['cold'];
declare const events: Record<string, LambdaStreamEvent>;
declare const region: string;
declare const credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };

export const lines = (): unknown[] => [
  response.pipe(decodeText()),
  response.pipe(parseNdjson({ schema })),
  response.pipe(parseSse()),
  response.pipe(toSnapshots()),
  streamResource({ params, stream }),
  response.pipe(retryInvocation()),
  response.pipe(shareInvocation()),
  joinInvocation(redisLog({ client }), key, open),
  createRelay({ authorize }),
  fetchResponseStream(url),
  response.pipe(parseNdjson(), flow.mergeMap(save, 4)),
  response.pipe(timeout({ first: 30_000, each: 10_000 })),
  response.pipe(observeInvocation(report)),
  fakeInvoke({ chat: cold('h-a-(c|)', events) }),
  new LambdaClient({ region, credentials }),
];
