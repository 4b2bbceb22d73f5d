/** The parts of a function reference. */
export interface FunctionReference {
  readonly functionName: string;
  readonly qualifier?: string;
}

const namePattern = /^[A-Za-z0-9_.-]{1,140}$/;
const qualifierPattern = /^(\$LATEST|[A-Za-z0-9_-]{1,128})$/;
const fullArn = /^arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:([^:]+)(?::([^:]+))?$/;
const partialArn = /^(?:\d{12}:)?function:([^:]+)(?::([^:]+))?$/;
const nameAndQualifier = /^([^:]+)(?::([^:]+))?$/;

/** Parses a name, an ARN or a partial ARN, with or without a qualifier. Returns undefined for other text. */
export function parseFunctionReference(text: string): FunctionReference | undefined {
  const [, functionName, qualifier] = fullArn.exec(text) ?? partialArn.exec(text) ?? nameAndQualifier.exec(text) ?? [];
  if (functionName === undefined || !namePattern.test(functionName)) return undefined;
  if (qualifier === undefined) return { functionName };
  return qualifierPattern.test(qualifier) ? { functionName, qualifier } : undefined;
}

/** The ARN of a function of the local endpoint. */
export function localFunctionArn(functionName: string, qualifier?: string): string {
  const arn = `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`;
  return qualifier === undefined ? arn : `${arn}:${qualifier}`;
}
