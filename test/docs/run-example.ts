import { spawn, type ChildProcess } from 'node:child_process';
import { root } from './markdown-page.js';

/** How an example's process ended. */
export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs an example against an endpoint, as a user's own process.
 *
 * @param onOutput - Told of all that stdout holds so far, each time that more has come, and of the process.
 */
export function runExample(
  path: string,
  endpoint?: string,
  onOutput: (stdout: string, child: ChildProcess) => void = () => undefined,
): Promise<Run> {
  const child = spawn(process.execPath, ['--import', 'tsx', path], {
    cwd: root,
    env: {
      ...process.env,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      ...(endpoint !== undefined && { AWS_ENDPOINT_URL_LAMBDA: endpoint }),
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
    onOutput(stdout, child);
  });
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status: status ?? -1, stdout, stderr })));
}
