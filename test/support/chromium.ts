/** How Chromium is started for tests: Debian's, as root, without anything that would ask the network. */
export const chromiumLaunchOptions = {
  executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // Tests of what a garbage collection may do; the flag only adds globalThis.gc.
    '--js-flags=--expose-gc',
  ],
};
