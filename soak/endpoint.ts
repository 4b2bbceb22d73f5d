/**
 * The soak's endpoint, a process of its own, so that what is measured is the client alone. It knows of each request how
 * it ended, and answers by IPC.
 */
import { scripted, startLocalLambda, type LocalRequest } from 'rx-lambda-stream/local';
import { pacedChunks, pacedPiece } from './fates-of-clients.js';
import { fates } from './fates.js';
import { writeRows, writeText } from './large-payloads.js';
import { chunkText, type Plan } from './plan.js';
import type { FromEndpoint, ToEndpoint } from './protocol.js';
import { StreamLedger } from './stream-ledger.js';

const tell = (message: FromEndpoint): void => void process.send?.(message);
const eventOf = (request: LocalRequest): unknown => JSON.parse(new TextDecoder().decode(request.payload));
const ledger = new StreamLedger();

/** How many requests to come are waited for: more than can arrive in one turn of the event loop. */
const lookahead = 2_000;

const local = await startLocalLambda({
  keepRequests: false,
  functions: {
    fates: scripted((request) => {
      const plan = eventOf(request) as Plan;
      const stream = ledger.begin(plan.id, request);
      const steps = fates[plan.fate]!.script!(plan, stream.attempts, stream.go);
      if (stream.attempts > 1) return steps;
      const all = ledger.gathered(plan);
      void all.then(() => tell({ moment: 'arrived', id: plan.id }));
      return plan.together === undefined ? steps : [{ waitFor: all }, ...steps];
    }),
    /**
     * Writes the plan's first chunk; on `go` more than a client that has paused will take; and ends on the next one.
     */
    paced: async function* (plan: Plan, { awsRequestId }) {
      const request = ledger.arrived(awsRequestId);
      const stream = ledger.begin(plan.id, request);
      await ledger.gathered(plan);
      let { go } = stream;
      yield chunkText(plan, 0);
      await go;
      ({ go } = stream);
      for (let n = 0; n < pacedChunks; n++) yield pacedPiece;
      tell({ moment: 'written', id: plan.id });
      await Promise.race([go, request.closed]);
    },
    /** Answers in two chunks, so many milliseconds apart. */
    slow: scripted((request) => {
      const { id, delayMs } = eventOf(request) as { id: number; delayMs: number };
      ledger.begin(id, request);
      return [{ chunk: 'first' }, { waitMs: delayMs }, { chunk: 'last' }, { complete: {} }];
    }),
    /** Begins, and never ends. */
    endless: scripted((request) => {
      ledger.begin((eventOf(request) as { id: number }).id, request);
      return [{ chunk: 'first' }, 'stall'];
    }),
    text: writeText,
    rows: writeRows,
  },
});

function follow(index: number): void {
  void local.request(index).then((request) => {
    ledger.add(request);
    follow(index + lookahead);
  });
}
for (let index = 0; index < lookahead; index++) follow(index);

process.on('message', (message: ToEndpoint) => {
  if ('go' in message) ledger.goOn(message.go);
  else tell({ answer: message.ask, state: ledger.state(local.openConnections, message.takeEnds) });
});
// Nobody is left to serve.
process.on('disconnect', () => process.exit());
tell({ config: local.clientConfig });
