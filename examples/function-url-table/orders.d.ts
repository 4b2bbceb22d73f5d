import type { LocalFunction } from 'rx-lambda-stream/local';

export declare const handler: LocalFunction;
