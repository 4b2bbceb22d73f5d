import { Readable } from 'node:stream';

/** A response body that the test drives, as one of the SDK's HTTP handlers leaves it. */
export interface DrivenBody {
  readonly body: unknown;
  /** Whether nothing of it is held any more: read to its end, destroyed, cancelled or broken. */
  readonly isReleased: boolean;
  /** Whether its reader closed it before its end. */
  readonly isClosedEarly: boolean;
  push(bytes: Uint8Array): void;
  end(): void;
  /** The connection breaks. What was not read is lost, as it is in both kinds. */
  break(error: Error): void;
}

export type BodyKind = 'Node' | 'web';

export function createDrivenBody(kind: BodyKind): DrivenBody {
  return kind === 'Node' ? createNodeBody() : createWebBody();
}

/** As `NodeHttpHandler` has it. */
function createNodeBody(): DrivenBody {
  let isOver = false;
  let isBroken = false;
  let isClosedEarly = false;
  const body = new Readable({
    read: () => undefined,
    destroy(error, callback) {
      isClosedEarly = !isBroken && !body.readableEnded;
      callback(error);
    },
  });
  const whileOpen = (act: () => void): void => {
    if (!isOver && !body.destroyed) act();
  };
  return {
    body,
    get isReleased() {
      return body.destroyed;
    },
    get isClosedEarly() {
      return isClosedEarly;
    },
    push: (bytes) => whileOpen(() => body.push(bytes)),
    end: () =>
      whileOpen(() => {
        isOver = true;
        body.push(null);
      }),
    break: (error) =>
      whileOpen(() => {
        isOver = isBroken = true;
        body.destroy(error);
      }),
  };
}

/** As `FetchHttpHandler` has it. */
function createWebBody(): DrivenBody {
  let isOver = false;
  let isBroken = false;
  let isClosedEarly = false;
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>(
    {
      start: (own) => void (controller = own),
      cancel: () => void (isClosedEarly = true),
    },
    // Never reached by whole chunks, so that a desired size of 0 has one meaning: read to the end.
    { highWaterMark: 0.5 },
  );
  const whileOpen = (act: () => void): void => {
    if (!isOver && !isClosedEarly) act();
  };
  return {
    body,
    get isReleased() {
      return isBroken || isClosedEarly || controller.desiredSize === 0;
    },
    get isClosedEarly() {
      return isClosedEarly;
    },
    push: (bytes) => whileOpen(() => controller.enqueue(bytes)),
    end: () =>
      whileOpen(() => {
        isOver = true;
        controller.close();
      }),
    break: (error) =>
      whileOpen(() => {
        isOver = isBroken = true;
        controller.error(error);
      }),
  };
}
