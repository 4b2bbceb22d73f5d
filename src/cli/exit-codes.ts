/** The exit codes of the command line, by kind of failure. Documented in `--help`. */
export const exitCodes = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  functionFailed: 3,
  refused: 4,
  unavailable: 5,
  broken: 6,
  unreachable: 7,
  timedOut: 8,
  unreadable: 9,
  interrupted: 130,
  terminated: 143,
} as const;
