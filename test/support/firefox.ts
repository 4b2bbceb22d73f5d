import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineBrowserProvider } from '@vitest/browser';

/** No first-run pages, no updates, no telemetry: only the tests' own server is asked for anything. */
const preferences = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
};

interface RunningFirefox {
  readonly child: ChildProcess;
  readonly profile: string;
}

/** Starts a headless Firefox that opens this page, in a profile of its own. */
async function start(url: string): Promise<RunningFirefox> {
  const profile = await mkdtemp(join(tmpdir(), 'rx-lambda-stream-firefox-'));
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  await writeFile(join(profile, 'user.js'), lines.join('\n'));
  const command = process.env['FIREFOX_PATH'] ?? 'firefox-esr';
  const child = spawn(command, ['--headless', '--no-remote', '--profile', profile, url], {
    stdio: 'ignore',
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
  });
  await once(child, 'spawn');
  return { child, profile };
}

async function stop({ child, profile }: RunningFirefox): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * A vitest provider for the system's Firefox. It needs no driver: the page asks vitest's server for the tests and
 * reports their results to it. A page that never asks fails the run after `browser.connectTimeout`.
 */
export function firefox(): ReturnType<typeof defineBrowserProvider> {
  return defineBrowserProvider({
    name: 'firefox-esr',
    supportedBrowser: ['firefox'],
    providerFactory: (project) => {
      // Asked before each file. The tests look at no layout, so that any size will do.
      project.browser?.registerCommand('__vitest_viewport' as never, (() => undefined) as never);
      const running: RunningFirefox[] = [];
      return {
        name: 'firefox-esr',
        supportsParallelism: false,
        getCommandsContext: () => ({}),
        openPage: async (_sessionId, url) => void running.push(await start(url)),
        close: async () => {
          await Promise.all(running.splice(0).map(stop));
        },
      };
    },
  });
}
