import { runInNewContext } from 'node:vm';
import { invokeWithResponseStream, type InvokeInput, type InvokeInputSource } from 'rx-lambda-stream';
import { scripted } from 'rx-lambda-stream/local';
import { chunkEvent, completeEvent, fakeInvoke } from 'rx-lambda-stream/testing';
import { BehaviorSubject, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../support/collect.js';
import { startLive } from '../support/live.js';

const secret = 'hunter2';

const detached = (): Uint8Array<ArrayBuffer> => {
  const bytes = new TextEncoder().encode(secret);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};
const form = new FormData();
form.set('password', secret);

class Vault {
  readonly #secret = secret;
  get length(): number {
    return this.#secret.length;
  }
}

function* generate() {
  yield secret;
}
async function* generateLater() {
  yield await Promise.resolve(secret);
}

/** What JSON shows as `{}`, or with a part of its content only. */
const hidden: [name: string, value: () => unknown, said: RegExp][] = [
  ['a Map', () => new Map([['password', secret]]), /a Map, .*: send Object\.fromEntries\(it\)$/],
  ['a Map of another realm', () => runInNewContext('new Map([[1, 2]])') as unknown, /a Map, .*Object\.fromEntries/],
  ['a Set', () => new Set([secret]), /a Set, .*: send \[\.\.\.it\]$/],
  ['a WeakMap', () => new WeakMap([[{}, secret]]), /a WeakMap, .*plain object/],
  ['a WeakSet', () => new WeakSet([{}]), /a WeakSet, /],
  ['a generator', generate, /a Generator, .*\[\.\.\.it\]$/],
  ['an asynchronous generator', generateLater, /an AsyncGenerator, /],
  ['an iterator', () => [secret].values(), /an Array Iterator, .*\[\.\.\.it\]$/],
  ['a FormData', () => form, /a FormData, .*Object\.fromEntries\(it\)$/],
  ['a URLSearchParams', () => new URLSearchParams({ q: secret }), /a URLSearchParams, .*Object\.fromEntries/],
  ['Headers', () => new Headers({ authorization: secret }), /a Headers, .*Object\.fromEntries/],
  ['an Error', () => new RangeError(secret), /an Error, .*plain object/],
  ['a RegExp', () => /hunter2/, /a RegExp, /],
  ['a promise', () => Promise.resolve(secret), /a Promise, .* await it$/],
];
/** What is refused as the whole, and not looked for within an object. */
const hiddenWhole: typeof hidden = [
  ['an Error with fields', () => Object.assign(new Error(secret), { code: secret }), /is an Error, /],
  ['a thenable', () => ({ then: () => secret }), /is an Object, .* await it$/],
  ['an Observable', () => of(secret), /is an Observable, /],
  ['a subject', () => new BehaviorSubject(secret), /is a BehaviorSubject, /],
  ['a web stream', () => new ReadableStream(), /is a ReadableStream, /],
  ['a Node stream', () => process.stdin, /is a \w+, /],
  ['an object with private fields alone', () => new Vault(), /is a Vault, /],
  ['a number', () => 4242, /is a Number, /],
  ['null', () => null, /is a Null, /],
  ['a function', () => () => secret, /is a Function, /],
];
const unreadable: typeof hidden = [
  ['a BigInt field', () => ({ id: 42n, secret }), /has no JSON: a BigInt \(send it as text\)/],
  ['a boxed BigInt', () => ({ id: Object(42n) as unknown }), /has no JSON: a BigInt/],
  [
    'a cycle',
    () => {
      const cycle: Record<string, unknown> = { secret };
      return Object.assign(cycle, { cycle });
    },
    /has no JSON: .*a cycle/,
  ],
  ['a toJSON that returns nothing', () => ({ secret, toJSON: () => undefined }), /has no JSON: .*toJSON/],
  [
    'a getter that throws',
    () => ({
      get secret(): string {
        throw new RangeError('broken');
      },
    }),
    /has no JSON: .*getter/,
  ],
  ['an asynchronous toJSON', () => ({ toJSON: () => Promise.resolve(secret) }), /holds a Promise, .* await it$/],
];
const refused: typeof hidden = [
  ...hidden,
  ...hiddenWhole,
  ...unreadable,
  ...hidden.map(([name, value, said]): (typeof hidden)[number] => [
    `an object that holds ${name}`,
    () => ({ list: [{ deep: value() }] }),
    new RegExp(`holds ${said.source}`),
  ]),
];

describe.each(['invokeWithResponseStream', 'fakeInvoke'])('%s', (which) => {
  async function prepare() {
    if (which === 'fakeInvoke') {
      const fake = fakeInvoke({ f: of(chunkEvent('answer'), completeEvent()) });
      const client = { send: () => Promise.reject(new Error('not used')) };
      return { invoke: (source: InvokeInputSource) => fake(client, source), sent: () => fake.subscriptions };
    }
    const { local, client } = await startLive({ f: scripted([{ complete: {} }]) });
    return {
      invoke: (source: InvokeInputSource) => invokeWithResponseStream(client, source),
      sent: () => local.requests.length,
    };
  }

  async function expectRefusal(fields: () => object, said: RegExp) {
    const { invoke, sent } = await prepare();
    const input = (): InvokeInput => ({ FunctionName: 'f', ...fields() });
    let atCall: unknown;
    try {
      invoke(input());
    } catch (error) {
      atCall = error;
    }
    const { error: atSubscription } = await outcomeOf(invoke(input));
    for (const error of [atCall, atSubscription] as Error[]) {
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(said);
      expect(error.message).not.toMatch(/hunter2|4242/);
    }
    expect(sent()).toBe(0);
  }

  it.each(refused)('refuses %s as Payload, at the call and from an input function', async (_name, value, said) => {
    await expectRefusal(() => ({ Payload: value() }), new RegExp(`^Payload (is |holds )?${said.source}`));
  });

  it.each(refused)('refuses %s as ClientContext', async (_name, value, said) => {
    await expectRefusal(() => ({ ClientContext: value() }), new RegExp(`^ClientContext (is |holds )?${said.source}`));
  });

  it.each([
    ['a Uint8Array', detached],
    ['an ArrayBuffer', () => detached().buffer],
    [
      'a DataView',
      () => {
        const bytes = new TextEncoder().encode(secret);
        const view = new DataView(bytes.buffer);
        structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
        return view;
      },
    ],
  ])('says that the buffer of %s was transferred', async (_name, payload) => {
    await expectRefusal(() => ({ Payload: payload() }), /^Payload is empty, since its buffer was transferred: .*slice/);
  });

  it('refuses a buffer that is transferred between the call and the subscription', async () => {
    const { invoke } = await prepare();
    const Payload = new TextEncoder().encode(secret);
    const stream = invoke({ FunctionName: 'f', Payload });
    structuredClone(Payload.buffer, { transfer: [Payload.buffer] });
    const { error } = await outcomeOf(stream);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain('was transferred');
  });
});

describe('what JSON shows is sent', () => {
  class Filter {
    text?: string;
    constructor() {
      delete this.text;
    }
  }
  class Point {
    x = 1;
    #y = 2;
    sum = () => this.x + this.#y;
  }
  class Money {
    readonly #cents = 1999;
    toJSON = () => `${this.#cents / 100}`;
  }
  const noPrototype = Object.assign(Object.create(null) as object, { a: 1 });

  it.each<[string, unknown, string]>([
    ['an empty object', {}, '{}'],
    ['an empty object of another realm', runInNewContext('({})'), '{}'],
    ['an empty object without prototype', Object.create(null), '{}'],
    ['an object without prototype', noPrototype, '{"a":1}'],
    ['an empty array', [], '[]'],
    ['empty objects in an object', { a: {}, b: [{}] }, '{"a":{},"b":[{}]}'],
    ['braces in text', { a: '{}' }, '{"a":"{}"}'],
    ['an instance with fields of its own', new Point(), '{"x":1}'],
    ['an instance with toJSON', new Money(), '"19.99"'],
    ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['a URL', new URL('http://localhost/'), '"http://localhost/"'],
    ['a Date beside an empty object', { at: new Date(0), none: {} }, '{"at":"1970-01-01T00:00:00.000Z","none":{}}'],
    ['an empty instance in an object', { filter: new Filter() }, '{"filter":{}}'],
    ['an empty Uint8Array in an object', { bytes: new Uint8Array(0) }, '{"bytes":{}}'],
    ['boxed primitives', [Object(1), Object('s'), Object(true), {}], '[1,"s",true,{}]'],
    ['a boxed number', Object(5), '5'],
    ['an Error with toJSON', Object.assign(new Error('x'), { toJSON: () => ({ shown: 1 }) }), '{"shown":1}'],
    ['a Map with toJSON', Object.assign(new Map(), { toJSON: () => ({ shown: 1 }) }), '{"shown":1}'],
    ['a thenable with toJSON', { then: () => 0, toJSON: () => [1] }, '[1]'],
  ])('%s', async (_name, value, json) => {
    const { local, client } = await startLive({ f: scripted([{ complete: {} }]) });
    const input = { FunctionName: 'f', Payload: value as object, ClientContext: value as object };
    const { completed } = await outcomeOf(invokeWithResponseStream(client, input));
    expect(completed).toBe(true);
    const [request] = local.requests;
    expect(new TextDecoder().decode(request?.payload)).toBe(json);
    expect(atob(String(request?.headers['x-amz-client-context']))).toBe(json);
  });
});

it('a ClientContext that is far over the limit is refused before it is turned into base64', () => {
  const client = { send: () => Promise.reject(new Error('not used')) };
  const refuse = (ClientContext: string | object) => () =>
    invokeWithResponseStream(client, { FunctionName: 'f', ClientContext });
  expect(refuse('x'.repeat(3_584))).toThrow(RangeError);
  // More than `btoa` could be given in one call.
  expect(refuse({ a: 'x'.repeat(5_000_000) })).toThrow(/^ClientContext is 6666680 bytes of base64, over the limit/);
});
