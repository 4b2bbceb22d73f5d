import { Readable } from 'node:stream';

/** A response body that the test drives, as one of the SDK's HTTP handlers leaves it. */
export interface DrivenBody {
  readonly body: unknown;
  /** Whether nothing of it is held any more: read to its end, destroyed, cancelled or broken. */
  readonly isReleased: boolean;
  push(bytes: Uint8Array): void;
  end(): void;
  /** The connection breaks. What was not read is lost, as it is in both kinds. */
  break(error: Error): void;
}

export type BodyKind = 'Node' | 'web';

export function createDrivenBody(kind: BodyKind): DrivenBody {
  /** Ended or broken by the test, or closed by its reader. */
  let isOver = false;
  const write = (act: () => unknown, isLast = false): void => {
    if (isOver) return;
    isOver = isLast;
    act();
  };

  if (kind === 'Node') {
    const body = new Readable({
      read: () => undefined,
      destroy(error, callback) {
        isOver = true;
        callback(error);
      },
    });
    return {
      body,
      get isReleased() {
        return body.destroyed;
      },
      push: (bytes) => write(() => body.push(bytes)),
      end: () => write(() => body.push(null), true),
      break: (error) => write(() => body.destroy(error), true),
    };
  }

  let isGone = false;
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const source = {
    start: (own: typeof controller) => void (controller = own),
    cancel: () => void (isOver = isGone = true),
  };
  return {
    // Whole chunks never reach the mark, so that a desired size of 0 has one meaning: read to the end.
    body: new ReadableStream<Uint8Array>(source, { highWaterMark: 0.5 }),
    get isReleased() {
      return isGone || controller.desiredSize === 0;
    },
    push: (bytes) => write(() => controller.enqueue(bytes)),
    end: () => write(() => controller.close(), true),
    break: (error) =>
      write(() => {
        isGone = true;
        controller.error(error);
      }, true),
  };
}
