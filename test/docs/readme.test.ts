import { readFileSync } from 'node:fs';
import { scripted, startLocalLambda } from 'rx-lambda-stream/local';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { gate } from '../support/live.js';
import { describePage } from './describe-page.js';
import { codeIn, read, readPage, sectionOf, tableRows } from './markdown-page.js';
import { runExample } from './run-example.js';

const readme = readPage('README.md');

describe('the README', () => {
  it('begins with a snippet that is a file of its own', () => {
    expect(readme.blocks.find(({ language }) => language === 'ts')?.source).toBe('examples/quick-start.ts');
  });

  it('is short: a newcomer reads it in a minute', () => {
    expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(12_000);
  });

  it('tells what it is and how to begin within a minute, and all of it within three', () => {
    const prose = read('README.md').replace(/^```[\s\S]*?^```$/gm, '');
    /** Silent reading of English prose: 238 words a minute (Brysbaert, 2019). A link counts as its text. */
    const minutes = (text: string): number =>
      (text.replaceAll(/\]\([^)]*\)/g, ']').match(/[\p{L}\d][\p{L}\d'’.-]*/gu)?.length ?? 0) / 238;
    const [beginning = ''] = prose.split('## I want to');
    expect(minutes(beginning)).toBeLessThanOrEqual(1);
    expect(minutes(prose)).toBeLessThanOrEqual(3);
  });

  it('has no cell that is too long to read', () => {
    const cells = [...read('README.md').matchAll(/^\|(.*)\|$/gm)].flatMap(([, row = '']) => row.split('|'));
    expect(cells.length).toBeGreaterThan(50);
    expect(cells.filter((cell) => cell.replaceAll(/\]\([^)]*\)/g, ']').trim().length > 200)).toEqual([]);
  });

  it('has lines of code that compile', () => {
    const program = read('test/docs/readme-table.ts').replaceAll(/\s+/g, ' ');
    const lines = tableRows(sectionOf(readme, 'I want to …'), 'with').map((row) => codeIn(row['with'] ?? ''));
    expect(lines.length).toBeGreaterThan(15);
    for (const [code = '', ...more] of lines) {
      expect(more, code).toEqual([]);
      // A command, and a class of an example that has packages of its own.
      if (/^npx |LambdaChatTransport/.test(code)) continue;
      expect(program).toContain(code);
    }
  });

  it('states the versions that the package asks for', () => {
    const { engines, peerDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
    const { text } = sectionOf(readme, 'Supported');
    const versions = [
      ['Node', engines?.['node']],
      ['`rxjs`', peerDependencies?.['rxjs']],
      ['`@aws-sdk/client-lambda`', peerDependencies?.['@aws-sdk/client-lambda']],
      ['Angular', peerDependencies?.['@angular/core']],
    ] as const;
    for (const [name, range = ''] of versions) {
      const [, stated = ''] = new RegExp(`${name} (\\d+(?:\\.\\d+)*)`).exec(text) ?? [];
      expect(stated.split('.').length, name).toBeGreaterThan(1);
      expect(range.replace(/^\D+/, '').startsWith(stated), `${name} ${stated}, ${range}`).toBe(true);
    }
  });

  it('says of tokens what the last benchmark measured: several times faster than the SDK’s loop', () => {
    expect(read('README.md')).toContain("On events as small as tokens, it is several times faster than the SDK's loop");
    const rows = [...read('docs/benchmark.md').matchAll(/^\| events of 16 B, .*? \| +([\d.]+)× \|/gm)];
    expect(rows.length).toBeGreaterThan(1);
    for (const [row, ratio] of rows) expect(Number(ratio), row).toBeGreaterThan(3);
  });

  it('leads to a page that shows figures of the last benchmark', () => {
    const [, figures = ''] = readFileSync('docs/benchmark.md', 'utf8').split(/<!-- \/?benchmark.*-->/);
    const cells = (markdown: string): string[][] =>
      [...markdown.matchAll(/^\|(.*)\|$/gm)].map(([, row = '']) => row.split('|').map((cell) => cell.trim()));
    // Without the line below the heads, whose length is the columns'.
    const shown = cells(figures).filter(([first = '']) => !first.startsWith('-'));
    expect(shown.length).toBeGreaterThan(5);
    expect(cells(readFileSync('bench/RESULTS.md', 'utf8'))).toEqual(expect.arrayContaining(shown));
  });

  describePage(readme);
});

describe('its examples', () => {
  it('the first one runs as printed: text appears while the function is still writing', async () => {
    const { opened, open } = gate();
    const local = await startLocalLambda({
      functions: {
        hello: async function* ({ name }: { name: string }) {
          yield `Hello ${name}`;
          await opened;
          yield ', goodbye\n';
        },
      },
    });
    onTestFinished(() => local.close());
    // Only the first text on the terminal lets the function go on.
    const { status, stdout } = await runExample('examples/quick-start.ts', local.endpoint, (text) => {
      if (text.includes('Ada')) open();
    });
    expect([status, stdout]).toEqual([0, 'Hello Ada, goodbye\n(complete)\n']);
  });

  it.each([
    ['quick-start', 'hello', [0, 'tick', '']],
    ['cancelling', 'chat', [130, 'tick', '\nstopped\n']],
  ])('%s is cancelled by Ctrl-C, which closes the connection', async (name, functionName, expected) => {
    const local = await startLocalLambda({ functions: { [functionName]: scripted([{ chunk: 'tick' }, 'stall']) } });
    onTestFinished(() => local.close());
    const { status, stdout, stderr } = await runExample(`examples/${name}.ts`, local.endpoint, (text, child) => {
      if (text === 'tick') child.kill('SIGINT');
    });
    expect([status, stdout, stderr]).toEqual(expected);
    expect(await local.requests[0]?.closedEarly).toBe(true);
  });

  it('a stream that breaks is told from a function that fails, and from what AWS refuses', async () => {
    const local = await startLocalLambda({
      functions: {
        chat: scripted((_request, attempt) =>
          attempt === 1
            ? [{ chunk: 'half' }, 'end']
            : attempt === 2
              ? [
                  { chunk: 'half' },
                  { complete: { errorCode: 'Unhandled', errorDetails: '{"errorMessage":"out of stock"}' } },
                ]
              : [{ httpError: { statusCode: 400, name: 'InvalidRequestContentException' } }],
        ),
      },
    });
    onTestFinished(() => local.close());
    const told: string[] = [];
    for (let run = 0; run < 3; run++) told.push((await runExample('examples/errors.ts', local.endpoint)).stderr);
    expect(told[0]).toBe('Cut after 4 bytes\n');
    expect(told[1]).toBe('The function failed: out of stock { chunks: 1 }\n');
    expect(told[2]).toMatch(/^AWS, or the network: InvalidRequestContentException/);
  });

  it('a screen shows each state of a response that starts again', async () => {
    const chat = scripted((_request, attempt) =>
      attempt === 1 ? [{ chunk: 'Hel' }, { waitMs: 100 }, 'reset'] : [{ chunk: 'Hello' }, { complete: {} }],
    );
    const local = await startLocalLambda({ functions: { chat } });
    onTestFinished(() => local.close());
    const { status, stdout } = await runExample('examples/retry-restart.ts', local.endpoint);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Waiting for the function\n/);
    expect(stdout).toContain('So far: Hel\n');
    expect(stdout).toMatch(/^Attempt 2 begins in \d\.\d s$/m);
    expect(stdout).toMatch(/The answer: Hello\n$/);
  });

  it('a text of your own is empty again when its response starts again', async () => {
    const chat = scripted((_request, attempt) =>
      attempt === 1 ? [{ chunk: 'Hel' }, 'end'] : [{ chunk: 'Hello' }, { complete: {} }],
    );
    const local = await startLocalLambda({ functions: { chat } });
    onTestFinished(() => local.close());
    const { status, stdout } = await runExample('examples/retry-restart-text.ts', local.endpoint);
    expect([status, stdout]).toEqual([0, 'Hel\nHello\n']);
  });

  it('NDJSON prints its rows, and reports the line that is not JSON', async () => {
    const rows = scripted([
      { chunk: '{"id":1,"title":"o' },
      { chunk: 'ne"}\nno row\n{"id":2,"title":"two"}' },
      { complete: {} },
    ]);
    const local = await startLocalLambda({ functions: { rows } });
    onTestFinished(() => local.close());
    const { status, stdout, stderr } = await runExample('examples/ndjson.ts', local.endpoint);
    expect([status, stdout]).toEqual([0, '1: one\n2: two\n']);
    expect(stderr).toContain('Line 2 (byte 23)');
  });

  it('a slow save gets every row that came before a wrong one, and then the error', async () => {
    const row = (id: number): string => `{"id":${id},"day":"2026-05-01"}\n`;
    const rows = scripted([{ chunk: `${row(1)}${row(2)}${row(3)}\n{"id":"four"}\n` }, 'stall']);
    const local = await startLocalLambda({ functions: { rows } });
    onTestFinished(() => local.close());
    const { status, stdout, stderr } = await runExample('examples/save-before-error.ts', local.endpoint);
    expect([status, stdout]).toEqual([0, 'saved 1\nsaved 2\nsaved 3\n']);
    expect(stderr).toMatch(/^InvalidRecordError: Line 5 \(byte 85\): refused by the schema at id/);
  });

  it('a function URL is read as a stream of events', async () => {
    const chat = async function* ({ body }: { body: string }) {
      yield `You sent ${await Promise.resolve(body)}`;
    };
    const local = await startLocalLambda({ functions: { chat }, functionUrls: true });
    onTestFinished(() => local.close());
    vi.stubEnv('FUNCTION_URL', local.functionUrls['chat']);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { status, stdout } = await runExample('examples/http-stream.ts');
    expect([status, stdout]).toEqual([0, 'You sent {"prompt":"Hello"}']);
  });

  it('a throttled invocation is tried again, and says so', async () => {
    const chat = scripted((_request, attempt) =>
      attempt === 1
        ? [{ httpError: { statusCode: 429, name: 'TooManyRequestsException' } }]
        : [{ chunk: 'Hello yourself' }, { complete: {} }],
    );
    const local = await startLocalLambda({ functions: { chat } });
    onTestFinished(() => local.close());
    const { status, stdout, stderr } = await runExample('examples/retry.ts', local.endpoint);
    expect([status, stdout]).toEqual([0, 'Hello yourself']);
    expect(stderr).toMatch(/attempt 2 in \d+ ms/);
  });

  it('a cut stream goes on from the last record, without one twice or one lost', async () => {
    const rows = scripted(({ payload }) => {
      const { after } = JSON.parse(new TextDecoder().decode(payload)) as { after: number };
      const row = (id: number): { chunk: string } => ({ chunk: `{"id":${id}}\n` });
      return after === 0
        ? [row(1), row(2), { chunk: '{"id"' }, 'end']
        : [row(after + 1), row(after + 2), { complete: {} }];
    });
    const local = await startLocalLambda({ functions: { rows } });
    onTestFinished(() => local.close());
    const { status, stdout } = await runExample('examples/continue.ts', local.endpoint);
    expect([status, stdout]).toEqual([0, 'row 1\nrow 2\nrow 3\nrow 4\n']);
  });

  it('an error of the caller’s own kind is tried again by the caller’s own rule', async () => {
    const errorDetails = JSON.stringify({ errorType: 'BusyError', errorMessage: 'busy' });
    const chat = scripted((_request, attempt) =>
      attempt === 1
        ? [{ complete: { errorCode: 'Unhandled', errorDetails } }]
        : [{ chunk: 'Hello at last' }, { complete: {} }],
    );
    const local = await startLocalLambda({ functions: { chat } });
    onTestFinished(() => local.close());
    const { status, stdout } = await runExample('examples/retry-rules.ts', local.endpoint);
    expect([status, stdout]).toEqual([0, 'Hello at last']);
  });

  const ndjson = scripted([
    { chunk: '{"id":1,"day":"2026-05-01"}\n{"id"' },
    { chunk: ':2,"day":"soon"}\n' },
    { complete: {} },
  ]);

  it.each([
    ['schema', { rows: ndjson }, '1.0 on 2026-05-01\n'],
    ['share', { rows: ndjson }, '{"id":1,"day":"2026-05-01"}\n{"id":2,"day":"soon"}\n2 rows\n'],
    ['flow-control', { rows: ndjson }, 'saved 1\nsaved 2\n'],
    [
      'sse',
      {
        completions: scripted([
          { chunk: 'event: x\nda' },
          { chunk: 'ta: 1\n\n: hi\ndata: 2\n\ndata: [DONE]\n\n' },
          'stall',
        ]),
      },
      'x 1\nmessage 2\n',
    ],
    [
      'http-response',
      { site: scripted([{ chunk: '{"statusCode":201}\0\0\0\0' }, { chunk: '\0\0\0\0<h1>hi</h1>' }, { complete: {} }]) },
      '<h1>hi</h1>',
    ],
    ['collect', { report: scripted([{ chunk: '{"a":' }, { chunk: '1}' }, { complete: {} }]) }, '200 { a: 1 }\n'],
  ])('%s prints what it should', async (name, functions, expected) => {
    const local = await startLocalLambda({ functions });
    onTestFinished(() => local.close());
    const { status, stdout } = await runExample(`examples/${name}.ts`, local.endpoint);
    expect([status, stdout]).toEqual([0, expected]);
    expect(local.requests).toHaveLength(1);
  });

  it.each([
    ['search-box', /complete .*lambda/],
    ['fan-out', /bytes in the file/],
    ['for-await', /^1\n2\n3\n$/],
    ['marbles', /^$/],
    ['to-readable-stream', /^1\n2\n3\n4\n5\n\n$/],
  ])('%s runs by itself', async (name, expected) => {
    const { status, stdout, stderr } = await runExample(`examples/${name}.ts`);
    expect(status).toBe(0);
    expect(name === 'fan-out' ? stderr : stdout).toMatch(expected);
  });

  it('the local endpoint runs by itself', async () => {
    const { status, stdout } = await runExample('examples/local-endpoint.ts');
    expect([status, stdout]).toEqual([0, 'cut after 15 bytes\n1 request was sent\n']);
  });

  it('the demo shows six things, and no warning', async () => {
    const { status, stdout, stderr } = await runExample('examples/demo.ts');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/^\d\. /gm)).toEqual(['1. ', '2. ', '3. ', '4. ', '5. ', '6. ']);
    expect(stdout).toContain('You see each word while the handler is still writing.');
    expect(stdout.match(/step \d of 6\n/g)).toHaveLength(6);
    expect(stdout).toContain('half of the ans … TruncatedStreamError after 15 bytes');
    expect(stdout).toContain('TooManyRequestsException, again in 800 ms …\n   and here is the answer.');
    expect(stdout).toContain('one counted 6 records, the other 107 bytes, of 1 request');
    expect(stdout).toMatch(/tick 1 .*\n {3}The server saw the connection close after [\d.]+ ms\.\n/);
  });
});
