export { joinInvocation, type AfterProducerLoss, type JoinInvocationOptions } from './join-invocation.js';
export { followInvocation, type FollowInvocationOptions } from './follow-invocation.js';
export { forgetInvocation, inspectInvocation, stopInvocation, type InvocationInspection } from './manage-invocation.js';
export { memoryLog } from './memory-log.js';
export type { Position } from './entry-id.js';
export type { PositionedEvent } from './log-records.js';
export type { OpenInvocation } from './production.js';
export type {
  AppendAnswer,
  AppendRequest,
  EntryId,
  InvocationLog,
  JoinAnswer,
  JoinRequest,
  LogAnswer,
  LogClaim,
  LogEnd,
  LogEntry,
  LogMember,
  LogPage,
  LogRoster,
  LogState,
  LogStatus,
  LogWatcher,
  PresentMember,
  ReadRequest,
  RenewRequest,
  RestartRequest,
  SealAnswer,
  SealRequest,
} from './invocation-log.js';
