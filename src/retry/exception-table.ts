import type * as Sdk from '@aws-sdk/client-lambda';

/** How an invocation may be tried again: with the usual backoff, with a longer backoff, or not at all. */
export type RetryVerdict = 'soon' | 'later' | 'never';

/** What a kind of failure says about trying again. */
export interface FailureKind {
  readonly verdict: RetryVerdict;
  /** Whether the function may have run, so that trying again may run it twice. */
  readonly mayHaveRun: boolean;
}

// The table's entries share these three objects, which keeps the bundle small.
/** The failure passes soon, and the function has not run. */
export const soon: FailureKind = { verdict: 'soon', mayHaveRun: false };
/** The failure is a state that changes by itself, but not within milliseconds. */
export const later: FailureKind = { verdict: 'later', mayHaveRun: false };
/** The failure stays until someone changes the request, the function or a permission. */
export const never: FailureKind = { verdict: 'never', mayHaveRun: false };

/** The exceptions of the SDK's package that InvokeWithResponseStream does not have, and the SDK's base classes. */
type ForeignException =
  | 'AliasLimitExceededException'
  | 'CallbackTimeoutException'
  | 'CapacityProviderLimitExceededException'
  | 'CodeSigningConfigNotFoundException'
  | 'CodeStorageExceededException'
  | 'CodeVerificationFailedException'
  | 'DurableExecutionAlreadyStartedException'
  | 'ENINotReadyException'
  | 'FunctionVersionsPerCapacityProviderLimitExceededException'
  | 'InvalidCodeSignatureException'
  | 'LambdaServiceException'
  | 'ModeNotSupportedException'
  | 'PolicyLengthExceededException'
  | 'PreconditionFailedException'
  | 'ProvisionedConcurrencyConfigNotFoundException'
  | 'PublicPolicyException'
  | 'ResourceInUseException'
  | '__ServiceException';

/** All other exceptions of the installed SDK. A new one does not compile until it stands in the table or above. */
type InvokeExceptionName = Exclude<Extract<keyof typeof Sdk, `${string}Exception`>, ForeignException>;

/**
 * The exceptions that AWS's model gives InvokeWithResponseStream, by name.
 *
 * "Error codes are reserved for errors that prevent your function from executing": the function has not run. The
 * exception to this rule is EFSIOException, which a mounted file system causes while the function runs.
 *
 * The SDK decides by HTTP status instead: it sends again after every 502, and never after a 408 or 409.
 *
 * @see
 * https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html#API_InvokeWithResponseStream_Errors
 */
export const exceptionTable = {
  TooManyRequestsException: soon,
  ServiceException: soon,
  EC2ThrottledException: soon,
  EC2UnexpectedException: soon,
  EFSMountTimeoutException: soon,
  S3FilesMountTimeoutException: soon,
  SnapStartTimeoutException: soon,

  EFSMountConnectivityException: later,
  S3FilesMountConnectivityException: later,
  ResourceNotReadyException: later,
  ResourceConflictException: later,
  SnapStartNotReadyException: later,
  SnapStartRegenerationFailureException: later,
  CodeArtifactUserPendingException: later,
  CodeArtifactUserDeletedException: later,
  ENILimitReachedException: later,
  SubnetIPAddressLimitReachedException: later,
  EFSIOException: { ...later, mayHaveRun: true },

  CodeArtifactUserFailedException: never,
  ServiceQuotaExceededException: never,
  SnapStartException: never,
  RecursiveInvocationException: never,
  InvalidParameterValueException: never,
  InvalidRequestContentException: never,
  NoPublishedVersionException: never,
  EFSMountFailureException: never,
  S3FilesMountFailureException: never,
  ResourceNotFoundException: never,
  RequestTooLargeException: never,
  SerializedRequestEntityTooLargeException: never,
  UnsupportedMediaTypeException: never,
  EC2AccessDeniedException: never,
  InvalidRuntimeException: never,
  InvalidSecurityGroupIDException: never,
  InvalidSubnetIDException: never,
  InvalidZipFileException: never,
  KMSAccessDeniedException: never,
  KMSDisabledException: never,
  KMSInvalidStateException: never,
  KMSNotFoundException: never,
} satisfies Readonly<Record<InvokeExceptionName, FailureKind>> & Readonly<Record<string, FailureKind>>;
