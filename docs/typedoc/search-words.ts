import { IndexEvent, type Renderer } from 'typedoc';

/** Words that people search for, by the name of the page that answers them: above all others, whatever they contain. */
const words: Readonly<Record<string, string>> = {
  'Cancelling and time-outs': 'cancel abort unsubscribe stop timeout',
  Backpressure: 'backpressure pause slow',
  createFlowControl: 'backpressure',
  Angular: 'angular signal zone',
  Retries: 'retry again attempt',
  retryInvocation: 'retry',
  'Records and schemas': 'ndjson sse schema zod json',
  'Sharing across machines': 'redis machine resume',
  'Relaying to browsers': 'relay browser reconnect',
  Observability: 'log metrics trace opentelemetry',
};

/** Adds the words to the index of the site's search. */
export function addSearchWords(renderer: Renderer): void {
  renderer.on('prepareIndex', (event: IndexEvent) => {
    event.searchFieldWeights['words'] = 400;
    const missing = new Set(Object.keys(words));
    event.searchResults.forEach(({ name }, index) => {
      const found = words[name];
      const fields = event.searchFields[index];
      if (found === undefined || fields === undefined) return;
      fields['words'] = found;
      missing.delete(name);
    });
    if (missing.size > 0)
      throw new Error(`There are search words for pages that are not there: ${[...missing].join(', ')}`);
  });
}
