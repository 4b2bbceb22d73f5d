import { NEVER } from 'rxjs';
import * as core from '../../src/index.js';
import * as http from '../../src/http/index.js';
import { startLocalLambda } from '../../src/local/index.js';
import * as log from '../../src/log/index.js';
import { createRelay } from '../../src/relay/index.js';

/** Calls a function with these options beside what it requires. */
type Call = (options: object) => unknown;

const url = 'http://127.0.0.1/';

/** How the function behind each interface of options is called. */
const calls: Readonly<Record<string, Call>> = {
  InvokeWithResponseStreamOptions: (o) => core.invokeWithResponseStream({ send: () => NEVER } as never, input, o),
  DecodeTextOptions: (o) => core.decodeText(o),
  SplitLinesOptions: (o) => core.splitLines(o),
  ParseNdjsonOptions: (o) => core.parseNdjson(o),
  ParseSseOptions: (o) => core.parseSse(o),
  ParseSseJsonOptions: (o) => core.parseSse(o),
  DecodeHttpResponseOptions: (o) => core.decodeHttpResponse(o),
  CollectResponseOptions: (o) => core.collectResponse(o),
  ToSnapshotsOptions: (o) => core.toSnapshots(o),
  RetryInvocationOptions: (o) => core.retryInvocation(o),
  RetryBudgetOptions: (o) => core.createRetryBudget(o),
  ShareInvocationOptions: (o) => core.shareInvocation(o),
  FlowControlOptions: (o) => core.createFlowControl(o),
  FetchResponseStreamOptions: (o) => http.fetchResponseStream(url, o),
  RelayedInvokeOptions: (o) => http.relayedInvoke({ url, ...o }),
  ReconnectOptions: (reconnect) => http.relayedInvoke({ url, reconnect }),
  JoinInvocationOptions: (o) => log.joinInvocation(log.memoryLog(), 'key', () => NEVER, o),
  FollowInvocationOptions: (o) => log.followInvocation(log.memoryLog(), 'key', o),
  RelayOptions: (o) => createRelay({ authorize: () => ({}), ...o }),
  LocalLambdaOptions: (o) => startLocalLambda({ functions: {}, ...o }),
  LocalFunctionConfig: (o) => startLocalLambda({ functions: { f: { handler: () => undefined, ...o } } }),
  CloseOptions: async (o) => {
    const local = await startLocalLambda({ functions: {} });
    try {
      await local.close(o);
    } finally {
      await local.close();
    }
  },
};

const input = { FunctionName: 'f' };

/**
 * What the function itself says of a number that it refuses: `undefined` for an option that is no number. The page
 * cannot say another limit than the one that holds.
 */
export async function limitOf(owner: string, option: string): Promise<string | undefined> {
  const call = calls[owner];
  if (call === undefined) throw new Error(`${owner}.${option} is a number, and nothing here calls its function`);
  try {
    await call({ [option]: -1.5 });
  } catch (error) {
    const [, limit] = /must be (.*(?:number|milliseconds).*), not -1\.5$/.exec((error as Error).message) ?? [];
    return limit;
  }
  throw new Error(`${owner}.${option} is a number, and -1.5 is not refused`);
}
