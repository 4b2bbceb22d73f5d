import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { JoinInvocationOptions, Position } from '../../src/log/index.js';
import type { ClientName } from './clients.js';
import { until } from '../support/redis-server.js';

export interface MachineSettings {
  readonly client: ClientName;
  readonly ports: readonly number[];
  /** The local endpoint. */
  readonly endpoint: string;
}

export type ConsumerOptions = Omit<JoinInvocationOptions, 'pauseWhile'>;

export type MachineOrder =
  | {
      readonly type: 'join';
      readonly id: number;
      readonly key: string;
      readonly follow: boolean;
      readonly functionName: string;
      readonly payload: string;
      readonly options: ConsumerOptions;
    }
  | { readonly type: 'leave'; readonly id: number }
  | { readonly type: 'stop'; readonly id: number; readonly key: string }
  | { readonly type: 'close'; readonly id: number };

export interface ConsumerEnd {
  readonly bytes: number;
  /** Every byte was the one that belongs to its place, and none was missing or came twice. */
  readonly isWhole: boolean;
  /** The events other than chunks, in their order. */
  readonly kinds: readonly string[];
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly code?: string;
    readonly fields?: object;
  };
}

export type ConsumerReport =
  | { readonly type: 'ready' }
  | { readonly type: 'fault'; readonly message: string }
  | { readonly type: 'opened' | 'left' | 'done'; readonly id: number }
  | { readonly type: 'progress'; readonly id: number; readonly bytes: number; readonly position: Position }
  | ({ readonly type: 'end'; readonly id: number } & ConsumerEnd);

/** A consumer in another process. */
export interface Consumer {
  readonly bytes: number;
  readonly position: Position | undefined;
  /** Whether its process called the function for it. */
  readonly hasOpened: boolean;
  readonly ended: Promise<ConsumerEnd>;
  readonly isOver: boolean;
  /** Resolves when so many bytes have arrived. */
  reaches(bytes: number): Promise<void>;
  leave(): Promise<void>;
}

/** Another process with a log of its own. */
export interface Machine {
  readonly faults: readonly string[];
  readonly isAlive: boolean;
  join(key: string, functionName: string, payload: object, options?: ConsumerOptions): Consumer;
  follow(key: string, after?: Position): Consumer;
  stop(key: string): Promise<void>;
  close(): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  kill(): Promise<void>;
  /** Sends SIGTERM, and returns the exit code of the process. */
  terminate(): Promise<number | null>;
}

let lastId = 0;

export async function startMachine(settings: MachineSettings): Promise<Machine> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./machine-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, MACHINE: JSON.stringify(settings) },
  });
  const listeners = new Map<number, (report: ConsumerReport) => void>();
  const faults: string[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', () => {
      reject(new Error('the machine ended before it was ready'));
    });
    child.on('message', (report: ConsumerReport) => {
      if (report.type === 'ready') resolve();
      else if (report.type === 'fault') faults.push(report.message);
      else listeners.get(report.id)?.(report);
    });
  });
  await ready;
  const send = (order: MachineOrder): void => void child.send(order);
  const done = (order: MachineOrder): Promise<void> =>
    new Promise((resolve) => {
      const before = listeners.get(order.id);
      listeners.set(order.id, (report) => {
        before?.(report);
        if (report.type === 'done' || report.type === 'left') resolve();
      });
      send(order);
    });

  const consume = (order: Extract<MachineOrder, { type: 'join' }>): Consumer => {
    const { id } = order;
    const state: { bytes: number; position: Position | undefined; hasOpened: boolean; isOver: boolean } = {
      bytes: 0,
      position: undefined,
      hasOpened: false,
      isOver: false,
    };
    const ended = new Promise<ConsumerEnd>((resolve) => {
      listeners.set(id, (report) => {
        if (report.type === 'opened') state.hasOpened = true;
        if (report.type === 'progress') Object.assign(state, { bytes: report.bytes, position: report.position });
        if (report.type !== 'end') return;
        const { type: _type, id: _id, ...end } = report;
        state.isOver = true;
        resolve(end);
      });
    });
    send(order);
    return Object.assign(state, {
      ended,
      reaches: (bytes: number) => until(() => state.bytes >= bytes),
      leave: () => done({ type: 'leave', id }),
    });
  };

  return {
    faults,
    get isAlive() {
      return child.exitCode === null && child.signalCode === null;
    },
    join: (key, functionName, payload, options = {}) =>
      consume({
        type: 'join',
        id: (lastId += 1),
        key,
        follow: false,
        functionName,
        payload: JSON.stringify(payload),
        options,
      }),
    follow: (key, after) =>
      consume({
        type: 'join',
        id: (lastId += 1),
        key,
        follow: true,
        functionName: '',
        payload: '',
        options: after === undefined ? {} : { after },
      }),
    stop: (key) => done({ type: 'stop', id: (lastId += 1), key }),
    close: () => done({ type: 'close', id: (lastId += 1) }),
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
    terminate: async () => {
      const exited = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      return (await exited)[0];
    },
  };
}
