// The whole namespace, since the class is found by its name: for tests, never for a bundle.
import * as sdk from '@aws-sdk/client-lambda';

type Sdk = typeof sdk;

/** The names of the exception classes that the installed SDK has. */
export type ServiceExceptionName = Exclude<Extract<keyof Sdk, `${string}Exception`>, `_${string}`>;

/** What an exception carries besides its name. */
export interface ServiceExceptionFields {
  readonly message?: string;
  /** Merged over the status code that belongs to the name and a request id. */
  readonly $metadata?: Readonly<Record<string, unknown>>;
  /** What the SDK attaches of the HTTP response; a `Retry-After` header stands here, names in lower case. */
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
  /** A number becomes the string that the SDK has here. */
  readonly retryAfterSeconds?: string | number;
  /** Of a TooManyRequestsException. */
  readonly Reason?: string;
  readonly Type?: string;
}

/** HTTP statuses by name, `Exception` left out; 400 for all others. */
const names: Readonly<Record<number, string>> = {
  402: 'ServiceQuotaExceeded',
  403: 'EFSMountFailure S3FilesMountFailure',
  404: 'ResourceNotFound ProvisionedConcurrencyConfigNotFound CodeSigningConfigNotFound',
  408: 'EFSMountTimeout EFSMountConnectivity S3FilesMountTimeout S3FilesMountConnectivity SnapStartTimeout',
  409:
    'ResourceConflict SnapStartNotReady SnapStartRegenerationFailure CodeArtifactUserPending CodeArtifactUserDeleted ' +
    'CodeArtifactUserFailed DurableExecutionAlreadyStarted',
  410: 'EFSIO',
  412: 'PreconditionFailed',
  413: 'RequestTooLarge SerializedRequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  500: 'Service',
  502:
    'EC2Throttled EC2Unexpected EC2AccessDenied ENILimitReached ENINotReady InvalidRuntime InvalidSecurityGroupID ' +
    'InvalidSubnetID InvalidZipFile KMSAccessDenied KMSDisabled KMSInvalidState KMSNotFound ' +
    'ResourceNotReady SubnetIPAddressLimitReached',
};

/**
 * An exception as the SDK throws it: the installed SDK's own class of this name, with its `$fault` and the HTTP status
 * that Lambda sends it with.
 *
 * A name without a class (one that the SDK does not model, or a version of it does not yet have) becomes a
 * `LambdaServiceException` with that name, which is what the SDK makes of it too.
 *
 * @example
 * serviceException('TooManyRequestsException', { retryAfterSeconds: 8, Reason: 'CallerRateLimitExceeded' });
 */
export function serviceException<const Name extends string>(
  name: Name | ServiceExceptionName,
  fields: ServiceExceptionFields = {},
): Name extends ServiceExceptionName ? InstanceType<Sdk[Name]> : sdk.LambdaServiceException {
  const { message = `${name} (made for a test)`, $metadata, $response, retryAfterSeconds, ...others } = fields;
  const members = {
    ...others,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds: String(retryAfterSeconds) }),
  };
  const metadata = {
    httpStatusCode: statusOf(name),
    requestId: '00000000-0000-4000-8000-000000000000',
    ...$metadata,
  };
  // The classes set their own name and fault over these two.
  const base = { name, $fault: metadata.httpStatusCode >= 500 ? 'server' : 'client' };
  const known = (sdk as Readonly<Record<string, unknown>>)[name] as ExceptionConstructor | undefined;
  const Exception = known ?? (sdk.LambdaServiceException as ExceptionConstructor);
  const exception = Object.assign(new Exception({ ...base, ...members, message, $metadata: metadata }), members);
  if ($response !== undefined) {
    // Not enumerable, as the SDK attaches it.
    const value = { statusCode: metadata.httpStatusCode, ...$response };
    Object.defineProperty(exception, '$response', { value, enumerable: false });
  }
  return exception as ReturnType<typeof serviceException<Name>>;
}

type ExceptionConstructor = new (options: object) => sdk.LambdaServiceException;

function statusOf(name: string): number {
  const short = name.replace(/Exception$/, '');
  const [status = 400] = Object.entries(names).find(([, listed]) => listed.split(' ').includes(short)) ?? [];
  return Number(status);
}
