import { ReflectionKind, type IndexEvent, type Renderer } from 'typedoc';

/** Words that people search for, each with the names of the pages that answer it: the guide, then the function. */
export const searchWords: Readonly<Record<string, readonly string[]>> = {
  abort: ['Cancelling and time-outs'],
  angular: ['Angular', 'streamResource'],
  backpressure: ['Backpressure', 'createFlowControl'],
  cancel: ['Cancelling and time-outs'],
  cors: ['Browsers and CORS'],
  json: ['Records and schemas', 'parseNdjson'],
  log: ['Observability', 'observeInvocation'],
  marble: ['Testing', 'fakeInvoke'],
  metrics: ['Observability', 'observeInvocation'],
  mock: ['Testing', 'fakeInvoke'],
  ndjson: ['Records and schemas', 'parseNdjson'],
  opentelemetry: ['Observability', 'traceInvocation'],
  pause: ['Backpressure', 'createFlowControl'],
  permission: ['Getting started'],
  react: ['User interfaces', 'toSnapshots'],
  reconnect: ['Relaying to browsers', 'relayedInvoke'],
  redis: ['Sharing across machines', 'redisLog'],
  relay: ['Relaying to browsers', 'createRelay'],
  resume: ['Sharing across machines', 'joinInvocation'],
  retry: ['Retries', 'retryInvocation'],
  schema: ['Records and schemas', 'parseNdjson'],
  share: ['Sharing in a process', 'shareInvocation'],
  signal: ['Angular', 'streamResource'],
  sse: ['Records and schemas', 'parseSse'],
  test: ['Testing', 'fakeInvoke'],
  timeout: ['Cancelling and time-outs'],
  trace: ['Observability', 'traceInvocation'],
  truncated: ['Errors', 'TruncatedStreamError'],
  unsubscribe: ['Cancelling and time-outs'],
  zod: ['Records and schemas', 'parseNdjson'],
};

/**
 * The weights of the guide's and the symbol's words. Both are above any other field, whatever it contains. Lunr divides
 * the weight by the number of the page's words, so the first is above the second by more than that number.
 */
const weights = { guideWords: 400_000, symbolWords: 10_000 } as const;

/** Adds the words to the index of the site's search. */
export function addSearchWords(renderer: Renderer): void {
  renderer.on('prepareIndex', (event: IndexEvent) => {
    Object.assign(event.searchFieldWeights, weights);
    const missing = new Set(Object.values(searchWords).flat());
    event.searchResults.forEach((reflection, index) => {
      const { name } = reflection;
      const fields = event.searchFields[index];
      if (fields === undefined || !missing.has(name)) return;
      if (!reflection.kindOf([ReflectionKind.Document, ReflectionKind.Function, ReflectionKind.Class])) return;
      const words = Object.keys(searchWords).filter((word) => searchWords[word]?.includes(name));
      fields[reflection.isDocument() ? 'guideWords' : 'symbolWords'] = words.join(' ');
      missing.delete(name);
    });
    if (missing.size > 0)
      throw new Error(`There are search words for pages that are not there: ${[...missing].join(', ')}`);
  });
}
