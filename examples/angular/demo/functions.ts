import { scripted, type LocalFunction, type ScriptStep } from 'rx-lambda-stream/local';

const answer =
  'A response stream is a Lambda response that arrives while the function still writes it. ' +
  'The page shows each piece as it comes, many times a second, without waiting for the end.\n\n' +
  'In this page the stream is an Observable. Unsubscribing closes the connection: ' +
  'press Stop, ask something else, or go to another page, and the server sees it within milliseconds.\n\n' +
  'What an answer may hold:\n' +
  '- **Markdown**, as far as it has come\n' +
  '- code, such as `unsubscribe()`\n\n' +
  '```ts\ninvoke({ FunctionName: "chat" })\n  .pipe(retryInvocation())\n```\n' +
  'The details below count how many chunks came, and how often the page was told about them.';

const busyAnswer =
  'The service was busy twice, and said when to come back. ' +
  'The page waited that long, counted the seconds down, and asked again. Then this answer came.';

const brokenAnswer =
  'This answer breaks off, since its connection does. What has arrived stays on the page, ' +
  'and the page does not pretend that it is whole, because the end of the stream was never';

/** How often the service says that it is busy before it answers a question. */
const refusals = 2;
/** The most questions whose refusals are remembered. Without a limit, questions that are given up would stay. */
const maxRemembered = 1_000;

/** Answers word by word; says it is busy, or breaks off, where the question asks for that. */
function createChat(retryAfterSeconds: number): LocalFunction {
  const refused = new Map<string, number>();
  return scripted(({ payload }) => {
    const { prompt, turn } = JSON.parse(new TextDecoder().decode(payload)) as { prompt: string; turn: string };
    if (/busy/i.test(prompt)) {
      const times = refused.get(turn) ?? 0;
      refused.delete(turn);
      if (times < refusals) {
        refused.set(turn, times + 1);
        if (refused.size > maxRemembered) refused.delete([...refused.keys()][0] ?? '');
        return [throttle(retryAfterSeconds)];
      }
      return [...wordByWord(busyAnswer), { complete: {} }];
    }
    if (/break/i.test(prompt)) return [...wordByWord(brokenAnswer), 'reset'];
    return [{ waitMs: 400 }, ...wordByWord(answer), { complete: {} }];
  });
}

function throttle(retryAfterSeconds: number): ScriptStep {
  return {
    httpError: {
      statusCode: 429,
      name: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      headers: { 'retry-after': String(retryAfterSeconds) },
      body: { Reason: 'ConcurrentInvocationLimitExceeded' },
    },
  };
}

/** Each word as several tokens, and a pause after it. */
function wordByWord(text: string): readonly ScriptStep[] {
  const tokensOf = (word: string): readonly ScriptStep[] => (word.match(/[^]{1,3}/g) ?? []).map((chunk) => ({ chunk }));
  return (text.match(/\S+\s*/g) ?? []).flatMap((word) => [...tokensOf(word), { waitMs: 50 }]);
}

const customers = [
  'Amber & Sons',
  'Birch Studio',
  'Cobalt Works',
  'Delta Foods',
  'Ember Lab',
  'Fjord Textiles',
  'Grove',
];
const cities: Readonly<Record<string, readonly string[]>> = {
  Germany: ['Berlin', 'Hamburg', 'Leipzig', 'Munich'],
  France: ['Lille', 'Lyon', 'Nantes', 'Paris'],
  Italy: ['Bari', 'Genoa', 'Milan', 'Turin'],
};

/** Writes orders as JSON lines. */
async function* orders({ country }: { country: string }): AsyncGenerator<string> {
  const inCountry = cities[country] ?? ['Elsewhere'];
  for (let id = 1; id <= 60; id++) {
    const customer = customers[(id * 5) % customers.length];
    const city = inCountry[(id * 3) % inCountry.length];
    yield `${JSON.stringify({ id, customer, city, total: 20 + ((id * 7919) % 48_000) / 100 })}\n`;
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
}

/** The functions of the demo. */
export function createFunctions(options: { readonly retryAfterSeconds: number }): Record<string, LocalFunction> {
  return { chat: createChat(options.retryAfterSeconds), orders };
}
