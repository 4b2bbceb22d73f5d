import { InvokeCommand } from '@aws-sdk/client-lambda';
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  startLocalLambda,
  streamifyResponse,
  type FinishedInvocation,
  type LocalFunction,
  type LocalProblem,
} from 'rx-lambda-stream/local';
import { describe, expect, onTestFinished, test } from 'vitest';
import { drive, gate, rawExchange, streamPath } from './drive.js';

const never = new Promise<never>(() => undefined);

/** An endpoint that reports to arrays. Its listeners are the only ones: the test runner's own would fail the test. */
async function start(functions: Record<string, LocalFunction>) {
  const problems: LocalProblem[] = [];
  const finished: FinishedInvocation[] = [];
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const others = events.map((event) => process.listeners(event as 'uncaughtException'));
  onTestFinished(() => {
    events.forEach((event, index) => others[index]?.forEach((listener) => process.on(event, listener as never)));
  });
  const options = {
    onProblem: (problem: LocalProblem) => problems.push(problem),
    onInvocation: (invocation: FinishedInvocation) => finished.push(invocation),
  };
  const driven = await drive(functions, options, { maxAttempts: 1 });
  events.forEach((event, index) => others[index]?.forEach((listener) => process.off(event, listener as never)));
  return { ...driven, problems, finished };
}

describe('an error that nobody caught', () => {
  const waysToFail: Record<string, () => void> = {
    'in a timer': () => void setTimeout(() => fail('in a timer')),
    'in an immediate': () => void setImmediate(() => fail('in an immediate')),
    'in a tick': () => process.nextTick(() => fail('in a tick')),
    'in a nested timer': () => void setTimeout(() => setTimeout(() => fail('in a nested timer'))),
    'in a callback of a socket': () =>
      void connect(1, '127.0.0.1', () => undefined).on('error', () => fail('in a callback of a socket')),
  };
  function fail(message: string): never {
    throw new RangeError(message);
  }

  test.each(Object.entries(waysToFail))('%s fails its invocation at once, and the others live on', async (way, run) => {
    const { opened, open } = gate();
    const { local, read, problems } = await start({
      bad: () => {
        run();
        return never;
      },
      good: async () => {
        await opened;
        return 'good';
      },
    });
    const good = read('good');
    await local.request(0);
    const { complete } = await read('bad');
    expect(complete?.ErrorCode).toBe('RangeError');
    expect(complete?.ErrorDetails).toContain(way);
    open();
    expect((await good).text).toBe('"good"');
    const [request] = local.requests.slice(1);
    expect(problems).toMatchObject([{ kind: 'uncaught', request: { functionName: 'bad' } }]);
    expect(problems[0]?.message).toBe(
      `bad (request ${request?.requestId ?? ''}): nobody caught an error of this invocation: ${way}`,
    );
  });

  test('is in the log of its invocation', async () => {
    const { read } = await start({
      bad: () => {
        setTimeout(() => fail('late'));
        return never;
      },
    });
    const { complete } = await read('bad', { LogType: 'Tail' });
    expect(Buffer.from(complete?.LogResult ?? '', 'base64').toString()).toContain('"errorMessage":"late"');
  });

  test('after the response is only reported', async () => {
    const { opened, open } = gate();
    const { local, read, problems } = await start({
      bad: () => {
        void opened.then(() => setTimeout(() => fail('afterwards')));
        return 'whole';
      },
    });
    expect((await read('bad')).text).toBe('"whole"');
    open();
    const first = { kind: 'uncaught', request: local.requests[0] };
    await expect.poll(() => problems).toMatchObject([first]);
    expect((await read('bad')).text).toBe('"whole"');
    // The second error, too, must come before the end of the test, which gives the runner its own listeners back.
    await expect.poll(() => problems).toMatchObject([first, { kind: 'uncaught', request: local.requests[1] }]);
  });

  test('of no invocation ends the process, as it would without the endpoint', async () => {
    const index = fileURLToPath(new URL('../../src/local/index.ts', import.meta.url));
    const fails = ["setTimeout(() => { throw new Error('mine'); })", "Promise.reject(new Error('mine'))"];
    for (const code of fails) {
      const ran = promisify(execFile)(process.execPath, [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import { startLocalLambda } from '${index}'; await startLocalLambda({ functions: {} }); ${code};`,
      ]);
      await expect(ran).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('Error: mine') as string });
    }
  });
});

test('without onProblem a problem is one line on stderr, with control characters escaped', async () => {
  const index = fileURLToPath(new URL('../../src/local/index.ts', import.meta.url));
  const code = `
    import { startLocalLambda, streamifyResponse } from '${index}';
    const fn = streamifyResponse(async (_event, stream) => {
      stream.end();
      throw new Error('two\\nlines \\u001b[31m');
    });
    const local = await startLocalLambda({ functions: { fn } });
    const path = '/2021-11-15/functions/fn/response-streaming-invocations';
    await (await fetch(local.endpoint + path, { method: 'POST' })).text();
    await local.close();`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  const { stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toMatch(
    /^rx-lambda-stream\/local: fn \(request [0-9a-f-]{36}\): the handler threw after .*: two\\nlines \\u001b\[31m\n$/,
  );
});

describe('a rejection that nobody handled', () => {
  test.each<[string, unknown, string]>([
    ['an error', new TypeError('lost'), 'TypeError: lost'],
    ['a string', 'lost', 'lost'],
    ['nothing', undefined, 'undefined'],
    ['what has no description', Object.create(null), 'The function threw a value that has no description'],
  ])('with %s fails its invocation at once', async (_what, reason, message) => {
    const { read, problems } = await start({
      bad: () => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- handlers do reject with anything
        void Promise.reject(reason);
        return never;
      },
      good: () => 'good',
    });
    const { complete } = await read('bad');
    expect(complete?.ErrorCode).toBe('Runtime.UnhandledPromiseRejection');
    expect(JSON.parse(complete?.ErrorDetails ?? '')).toMatchObject({ errorMessage: message });
    expect(problems).toMatchObject([{ kind: 'unhandled-rejection', request: { functionName: 'bad' } }]);
    expect((await read('good')).text).toBe('"good"');
  });
});

describe('process.exit', () => {
  test('in a handler fails its invocation, is reported, and the process goes on', async () => {
    const { read, problems } = await start({
      zero: () => process.exit(),
      two: async () => {
        await new Promise((resolve) => setTimeout(resolve));
        process.exit(2);
      },
      caught: () => {
        try {
          process.exit(3);
        } catch {
          // Whatever the handler catches, it has ended.
        }
        return never;
      },
      timer: () => {
        setTimeout(() => process.exit(4));
        return never;
      },
    });
    const messages = [];
    for (const name of ['zero', 'two', 'caught', 'timer']) {
      const { complete } = await read(name);
      const { errorType, errorMessage } = JSON.parse(complete?.ErrorDetails ?? '') as Record<string, string>;
      messages.push([errorType, errorMessage]);
    }
    expect(messages).toEqual([
      ['Runtime.ExitError', 'Runtime exited without providing a reason'],
      ['Runtime.ExitError', 'Runtime exited with error: exit status 2'],
      ['Runtime.ExitError', 'Runtime exited with error: exit status 3'],
      ['Runtime.ExitError', 'Runtime exited with error: exit status 4'],
    ]);
    expect(problems.map(({ kind }) => kind)).toEqual(['exit', 'exit', 'exit', 'exit']);
    expect(problems[0]?.message).toContain('the handler called process.exit()');
  });

  test('outside of handlers ends the process', async () => {
    const index = fileURLToPath(new URL('../../src/local/index.ts', import.meta.url));
    const code = `
      import { startLocalLambda } from '${index}';
      await startLocalLambda({ functions: {} });
      process.exit(7);`;
    const ran = promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
    await expect(ran).rejects.toMatchObject({ code: 7 });
  });
});

describe('what a handler does to a stream that is over', () => {
  test('a throw after end is reported, and the response is whole', async () => {
    const { read, problems, finished } = await start({
      fn: streamifyResponse(async (_event, stream) => {
        await new Promise<void>((resolve) => stream.end('whole', resolve));
        throw new RangeError('late');
      }),
    });
    const { text, complete } = await read('fn');
    expect([text, complete]).toEqual(['whole', {}]);
    expect(problems).toMatchObject([
      { kind: 'thrown-after-end', error: new RangeError('late'), request: { functionName: 'fn' } },
    ]);
    await expect.poll(() => finished.map(({ failure }) => failure)).toEqual([undefined]);
  });

  test.each<[string, (stream: NodeJS.WritableStream) => Promise<void>]>([
    ['at once', async () => Promise.resolve()],
    ['when it has finished', (stream) => new Promise((resolve) => stream.once('close', resolve))],
  ])('a write after end, %s, is reported once, and the response is whole', async (_when, wait) => {
    const { read, problems } = await start({
      fn: streamifyResponse(async (_event, stream) => {
        stream.end('whole');
        await wait(stream);
        stream.write('lost');
        stream.write('lost too');
      }),
    });
    const { text, complete } = await read('fn');
    expect([text, complete]).toEqual(['whole', {}]);
    expect(problems).toMatchObject([{ kind: 'write-after-end', request: { functionName: 'fn' } }]);
  });

  test('destroy(error) is reported with the error, and the invocation has failed', async () => {
    const { local, read, problems, finished } = await start({
      fn: streamifyResponse(async (_event, stream) => {
        await new Promise((resolve) => stream.write('part', resolve));
        stream.destroy(new RangeError('broken pipe'));
      }),
    });
    await expect(read('fn')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(problems).toMatchObject([{ kind: 'destroyed', error: new RangeError('broken pipe') }]);
    expect(problems[0]?.message).toContain('destroyed its response stream: broken pipe');
    await local.idle();
    await expect
      .poll(() => finished)
      .toMatchObject([{ closedEarly: false, failure: { errorType: 'Runtime.TruncatedResponse' } }]);
  });
});

describe('a throw that cannot be described', () => {
  const throwing = {
    get name(): string {
      throw new Error('getter');
    },
  };
  const noText = { toString: () => ({}), valueOf: () => ({}) };
  test.each<[string, unknown]>([
    ['an object without a prototype', Object.create(null)],
    ['an object with a throwing getter', throwing],
    ['an object that cannot become text', noText],
    ['a Proxy that forbids everything', new Proxy({}, { get: () => fail() })],
    ['a revoked Proxy', revoked()],
    ['an error with a throwing stack', Object.defineProperty(new Error('x'), 'stack', { get: fail })],
  ])('%s is a failure of its function, streamed and buffered', async (_what, thrown) => {
    const { client, read } = await drive({
      fn: () => {
        throw thrown;
      },
    });
    const { complete } = await read('fn');
    expect(complete?.ErrorCode).toBe('object');
    const { FunctionError } = await client.send(new InvokeCommand({ FunctionName: 'fn' }));
    expect(FunctionError).toBe('Unhandled');
  });
  function fail(): never {
    throw new Error('refused');
  }
  function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }
});

test('an async generator that yields for ever without waiting blocks neither the others nor its time-out', async () => {
  const { read } = await drive({
    empty: {
      handler: async function* () {
        await Promise.resolve();
        for (;;) yield '';
      },
      timeoutMs: 300,
    },
    other: () => 'answered',
  });
  const empty = read('empty');
  expect((await read('other')).text).toBe('"answered"');
  expect((await empty).complete?.ErrorCode).toBe('Sandbox.Timedout');
});

test('many pipelined requests cause no warning', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  const { local } = await drive({ fn: () => 1 });
  const request = `POST ${streamPath('fn')} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n`;
  const answer = await rawExchange(local, `${`${request}\r\n`.repeat(40)}${request}connection: close\r\n\r\n`);
  expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(41);
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

describe('the environment', () => {
  test('each invocation sees its own variables, concurrent ones too, and the process none of them', async () => {
    const { opened, open } = gate();
    const show = async (event: { NAME: string }) => {
      const before = process.env['AWS_LAMBDA_FUNCTION_NAME'];
      await opened;
      return [before, process.env['AWS_LAMBDA_FUNCTION_NAME'], process.env[event.NAME] ?? null];
    };
    const { local, read } = await drive({
      one: { handler: show, memoryMb: 512, environment: { FLAVOUR: 'red' } },
      two: { handler: show, environment: { FLAVOUR: 'blue', _HANDLER: 'src/two.handler' } },
    });
    const ask = (name: string, variable: string): Promise<unknown> =>
      read(name, { Payload: JSON.stringify({ NAME: variable }), Qualifier: '7' }).then(
        ({ text }) => (JSON.parse(text) as unknown[])[2],
      );
    const variables = {
      FLAVOUR: ['red', 'blue'],
      AWS_LAMBDA_FUNCTION_NAME: ['one', 'two'],
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: ['512', '128'],
      AWS_LAMBDA_FUNCTION_VERSION: ['7', '7'],
      AWS_LAMBDA_LOG_GROUP_NAME: ['/aws/lambda/one', '/aws/lambda/two'],
      _HANDLER: ['one.handler', 'src/two.handler'],
      LAMBDA_TASK_ROOT: [process.cwd(), process.cwd()],
      PATH: [process.env['PATH'], process.env['PATH']],
      NOBODY_SET_THIS: [null, null],
    };
    const asked = Object.keys(variables).flatMap((name) => [ask('one', name), ask('two', name)]);
    await local.request(asked.length - 1);
    open();
    const answers = await Promise.all(asked);
    expect(answers).toEqual(Object.values(variables).flat());
    expect(Object.keys(variables).filter((name) => name in process.env)).toEqual(['PATH']);
  });

  test('AWS_REGION is set where it is unset, and left alone where it is not', async () => {
    const { AWS_REGION: before } = process.env;
    onTestFinished(() => {
      if (before === undefined) delete process.env['AWS_REGION'];
      else process.env['AWS_REGION'] = before;
    });
    const { read } = await drive({ fn: () => process.env['AWS_REGION'] });
    delete process.env['AWS_REGION'];
    expect((await read('fn')).text).toBe('"us-east-1"');
    expect(process.env['AWS_REGION']).toBeUndefined();
    process.env['AWS_REGION'] = 'eu-west-3';
    expect((await read('fn')).text).toBe('"eu-west-3"');
  });

  test('a child process and a copy of the environment have the variables too', async () => {
    const { read } = await drive({
      fn: async () => {
        const { stdout } = await promisify(execFile)(process.execPath, ['-p', 'process.env.AWS_LAMBDA_FUNCTION_NAME']);
        return [
          stdout.trim(),
          { ...process.env }['AWS_LAMBDA_FUNCTION_NAME'],
          'AWS_LAMBDA_FUNCTION_NAME' in process.env,
        ];
      },
    });
    expect((await read('fn')).text).toBe('["fn","fn",true]');
  });

  test('what a handler sets or deletes of its own variables is gone with its invocation', async () => {
    const { read } = await drive({
      fn: () => {
        const seen = process.env['_HANDLER'];
        process.env['_HANDLER'] = 'changed';
        const changed = process.env['_HANDLER'];
        delete process.env['_HANDLER'];
        return [seen, changed, process.env['_HANDLER'] ?? null];
      },
    });
    for (let n = 0; n < 2; n++) expect((await read('fn')).text).toBe('["fn.handler","changed",null]');
    expect(process.env).not.toHaveProperty('_HANDLER');
  });

  test('is the process’s own again after the last endpoint has closed', async () => {
    const before = process.env;
    const [one, two] = await Promise.all([startLocalLambda({ functions: {} }), startLocalLambda({ functions: {} })]);
    await one.close();
    expect(process.env).not.toBe(before);
    await two.close();
    expect(process.env).toBe(before);
  });
});

describe('close with a grace', () => {
  test('lets a response end, and refuses new connections meanwhile', async () => {
    const { opened, open } = gate();
    const { local, read } = await drive({ fn: () => opened.then(() => 'in time') });
    const reading = read('fn');
    await local.request(0);
    const closing = local.close({ graceMs: 600_000 });
    await expect(fetch(local.endpoint)).rejects.toThrow();
    open();
    expect((await reading).text).toBe('"in time"');
    await closing;
    expect(local.openConnections).toBe(0);
  });

  test('ends when the time is up, though a handler runs on', async () => {
    const { local, read } = await drive({ fn: () => never }, {}, { maxAttempts: 1 });
    const reading = read('fn').catch((error: unknown) => error);
    await local.request(0);
    await local.close({ graceMs: 20 });
    expect(await reading).toBeInstanceOf(Error);
  });

  test('of no number of milliseconds is a RangeError', async () => {
    const { local } = await drive({});
    expect(() => local.close({ graceMs: -1 })).toThrow(RangeError);
    expect(() => local.close({ graceMs: Infinity })).toThrow(/graceMs must be from 0/);
  });
});
