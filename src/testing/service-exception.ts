// The whole namespace is imported, because the class is found by its name. This file is for tests and not for bundles.
import * as sdk from '@aws-sdk/client-lambda';

type Sdk = typeof sdk;

/** The names of the exception classes that the installed SDK has. */
export type ServiceExceptionName = Exclude<Extract<keyof Sdk, `${string}Exception`>, `_${string}`>;

/** The fields of an exception besides its name. */
export interface ServiceExceptionFields {
  readonly message?: string;
  /** Fields of `$metadata` that replace the default ones: the status code of the name, and a request id. */
  readonly $metadata?: Readonly<Record<string, unknown>>;
  /** The HTTP response that the SDK attaches. It holds a `Retry-After` header. Names are in lower case. */
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
  /** A number becomes a string, which the SDK has here. */
  readonly retryAfterSeconds?: string | number;
  /** The reason of a TooManyRequestsException. */
  readonly Reason?: string;
  readonly Type?: string;
}

/** HTTP statuses by name without `Exception`. All other exceptions have 400. */
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
 * Makes an exception as the SDK throws it: an instance of the installed SDK's own class, with its `$fault` and the HTTP
 * status that Lambda sends.
 *
 * A name without a class becomes a `LambdaServiceException` with that name, as the SDK itself makes it. The installed
 * version may not have the class, or the SDK may not model the exception.
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
  // The SDK's classes replace these two by their own name and fault.
  const base = { name, $fault: metadata.httpStatusCode >= 500 ? 'server' : 'client' };
  const known = (sdk as Readonly<Record<string, unknown>>)[name] as ExceptionConstructor | undefined;
  const Exception = known ?? (sdk.LambdaServiceException as ExceptionConstructor);
  const exception = Object.assign(new Exception({ ...base, ...members, message, $metadata: metadata }), members);
  if ($response !== undefined) {
    // The SDK attaches it as a property that is not enumerable.
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
