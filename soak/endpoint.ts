/**
 * The soak's endpoint is a process of its own, so that what is measured is the client alone. It knows how each request
 * ended, and answers by IPC.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { scripted, startLocalLambda, type LocalRequest } from 'rx-lambda-stream/local';
import type { EndpointState, FromEndpoint, ToEndpoint } from './endpoint-process.js';
import { httpFates, invocationFates } from './fates.js';
import type { Plan } from './fate.js';
import { writeRows } from './rows.js';

/** A promise that somebody else settles. */
class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** One stream, over all its requests. */
class Stream {
  readonly ends: (boolean | null)[] = [];
  readonly #gates: Gate[] = [];
  #opened = 0;

  /** The n-th gate, from 1 on. */
  gate(n: number): Gate {
    return (this.#gates[n - 1] ??= new Gate());
  }

  goOn(): void {
    this.gate(++this.#opened).open();
  }
}

const open = new Set<LocalRequest>();
let peakUnfinished = 0;
let streams = new Map<number, Stream>();
let arrivals: number[] = [];
let waiting = 0;
let everybody = new Gate();

const tell = (message: FromEndpoint): void => void process.send?.(message);

/** A request of a stream: its function starts. */
function begin(request: LocalRequest): { readonly stream: Stream; readonly event: unknown } {
  const event = JSON.parse(new TextDecoder().decode(request.payload)) as { readonly id: number };
  const stream = streams.get(event.id) ?? new Stream();
  streams.set(event.id, stream);
  arrivals.push(event.id);
  open.add(request);
  peakUnfinished = Math.max(peakUnfinished, open.size);
  const index = stream.ends.push(null) - 1;
  void request.closedEarly.then((early) => {
    open.delete(request);
    stream.ends[index] = early;
  });
  return { stream, event };
}

/** Settles when as many streams are open as the plan says. */
function gathered({ together }: Plan): Promise<void> {
  if (together === undefined) return Promise.resolve();
  const gate = everybody;
  if (++waiting === together) {
    waiting = 0;
    everybody = new Gate();
    gate.open();
  }
  return gate.opened;
}

function state(forget: boolean): EndpointState {
  const told = {
    openConnections: local.openConnections,
    unfinished: open.size,
    peakUnfinished,
    arrivals,
    ends: [...streams].map(([id, { ends }]): [number, (boolean | null)[]] => [id, ends]),
  };
  if (forget) {
    arrivals = [];
    streams = new Map();
    peakUnfinished = open.size;
  }
  return told;
}

const local = await startLocalLambda({
  keepRequests: false,
  functionUrls: true,
  functions: {
    fates: scripted((request) => {
      const { stream, event } = begin(request);
      const plan = event as Plan;
      const fate = (request.operation === 'FunctionUrl' ? httpFates : invocationFates)[plan.fate]!;
      const attempt = stream.ends.length;
      const steps = fate.script(plan, attempt, {
        go: (times = 1) => stream.gate(times).opened,
        async tellWritten(bytes) {
          while (open.has(request) && request.payloadBytes < bytes) await delay(1);
          tell({ moment: 'written', id: plan.id });
        },
      });
      if (attempt > 1) return steps;
      const all = gathered(plan);
      void all.then(() => tell({ moment: 'arrived', id: plan.id }));
      return plan.together === undefined ? steps : [{ waitFor: all }, ...steps];
    }),
    /** Answers in two chunks with a pause between them. */
    slow: scripted((request) => {
      begin(request);
      return [{ chunk: 'first' }, { waitMs: 300 }, { chunk: 'last' }, { complete: {} }];
    }),
    /** Begins, and never ends. */
    endless: scripted((request) => {
      begin(request);
      return [{ chunk: 'first' }, 'stall'];
    }),
    rows: writeRows,
  },
});

process.on('message', (message: ToEndpoint) => {
  if ('go' in message) streams.get(message.go)?.goOn();
  else tell({ state: state(message.ask === 'forget') });
});
// Nobody is left to serve.
process.on('disconnect', () => process.exit());
tell({ address: { clientConfig: local.clientConfig, functionUrls: local.functionUrls } });
