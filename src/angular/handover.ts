import { makeStateKey, TransferState, type Injector, type StateKey } from '@angular/core';
import type { CompleteSnapshot, FailedSnapshot } from '../consumers/snapshot-state.js';

/** A stream's end, as the server hands it to the page. */
interface HandedOver {
  /** A hash of the stream's parameters. The parameters themselves may hold what a page must not show. */
  readonly paramsHash: string;
  readonly text: string;
  readonly bytes: number;
  readonly chunks: number;
  /** The name of a failure. Its message stays on the server, because it may quote secrets. */
  readonly failure?: string;
}

/** What the server hands over to the page for one stream. */
export interface Handover {
  /** Keeps a stream's end for the page. */
  give(params: unknown, end: CompleteSnapshot | FailedSnapshot): void;
  /** Returns what the server kept for these parameters, once. */
  take(params: unknown): CompleteSnapshot | FailedSnapshot | undefined;
}

/** @param id - Names the stream. It is the same on the server and in the page, and unique among the page's streams. */
export function createHandover(injector: Injector, id: string): Handover {
  const state = injector.get(TransferState);
  const key: StateKey<HandedOver | null> = makeStateKey(`rx-lambda-stream:${id}`);
  return {
    give(params, end) {
      const { text, bytes, chunks } = end;
      const failure = end.status === 'failed' ? { failure: nameOf(end.error) } : {};
      state.set(key, { paramsHash: hashOf(params), text, bytes, chunks, ...failure });
    },
    take(params) {
      const kept = state.get(key, null);
      if (kept === null) return undefined;
      // The text serves one stream. The page invokes for every later one.
      state.remove(key);
      const { paramsHash, text, bytes, chunks, failure } = kept;
      if (paramsHash !== hashOf(params)) return undefined;
      if (failure === undefined) return { status: 'complete', text, bytes, chunks };
      const error = new Error('The stream failed while the server rendered the page');
      return { status: 'failed', text, bytes, chunks, error: Object.assign(error, { name: failure }) };
    },
  };
}

function nameOf(error: unknown): string {
  const { name } = Object(error) as { name?: unknown };
  return typeof name === 'string' ? name : 'Error';
}

/** Hashes the parameters' JSON to 64 bits, enough to tell parameters apart. A guess can be confirmed with it. */
function hashOf(params: unknown): string {
  const json = JSON.stringify(params) as string | undefined;
  const hash = (seed: number): string => {
    let state = seed;
    for (let i = 0; json !== undefined && i < json.length; i++) {
      state = Math.imul(state ^ json.charCodeAt(i), 0x01000193);
      state ^= state >>> 15;
    }
    return (state >>> 0).toString(36);
  };
  return hash(0x811c9dc5) + hash(0x9e3779b1);
}
