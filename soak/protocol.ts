/** What the measured process and the endpoint's process tell each other. */

export type ToEndpoint = { readonly go: number } | { readonly ask: number; readonly takeEnds: boolean };

export type FromEndpoint =
  | { readonly config: LocalConfig }
  | { readonly moment: 'arrived' | 'written'; readonly id: number }
  | { readonly answer: number; readonly state: EndpointState };

/** For `new LambdaClient`. */
export interface LocalConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface EndpointState {
  readonly openConnections: number;
  /** Requests so far. */
  readonly requests: number;
  /** Responses that are not over. */
  readonly unfinished: number;
  /** The most of them that there were at a time. */
  readonly peakUnfinished: number;
  /** Ids in the order in which their requests arrived, since the last `takeEnds`. */
  readonly arrivals: readonly number[];
  /**
   * By stream, each request's end in the order of arrival: whether the client closed the connection before it,
   * undefined
   * where it is not over. Since the last `takeEnds`.
   */
  readonly ends: readonly (readonly [id: number, closedEarly: readonly (boolean | undefined)[]])[];
}
