import { functionOf, shapeOf, type Shape } from '../events/shapes.js';

/** A body that is payloads alone, without event-stream frames. */
export interface PlainBody extends Shape {
  /** Each payload is a write of its own, in a turn of the server's event loop, so that its reader gets it by itself. */
  readonly isSingly?: boolean;
}

/** The path at which the server answers with this body. */
export const bodyPathOf = (body: PlainBody): string => `/${body.isSingly ? 'singly' : 'body'}/${functionOf(body)}`;

/** The body at this path; undefined for any other path. */
export function bodyAt(path: string): PlainBody | undefined {
  const [, kind, name = ''] = path.split('/');
  const shape = kind === 'body' || kind === 'singly' ? shapeOf(name) : undefined;
  return shape && { ...shape, isSingly: kind === 'singly' };
}
