import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, relative, sep } from 'node:path';

/** A running static server. */
export interface AppServer {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly close: () => Promise<void>;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Serves a built application on 127.0.0.1: its files, `index.html` for the routes, and `config.json` as it is now.
 *
 * The files are read once, at the start, so that no request can name a path.
 */
export async function startAppServer(options: {
  readonly directory: string;
  /** Asked for each request: the endpoint may start after the page's origin is known. */
  readonly config: () => object;
  /** Answers what is below `/lambda/`. */
  readonly relay?: RequestListener;
  readonly port?: number;
}): Promise<AppServer> {
  const files = await readFiles(options.directory);
  const index = files.get('/index.html');
  if (index === undefined) throw new Error(`${options.directory} has no index.html: is the application built?`);

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (options.relay && pathname.startsWith('/lambda/')) {
      options.relay(request, response);
      return;
    }
    response.setHeader('cache-control', 'no-cache');
    if (pathname === '/config.json') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(options.config()));
      return;
    }
    const file = files.get(pathname);
    if (file === undefined && extname(pathname) !== '') {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', contentTypes[file ? extname(pathname) : '.html'] ?? 'application/octet-stream');
    response.end(file ?? index);
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** All files below a directory, by the path of their URL. */
async function readFiles(directory: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths.map(async (path) => [`/${relative(directory, path).split(sep).join('/')}`, await readFile(path)] as const),
    ),
  );
}
