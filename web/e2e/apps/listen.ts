import { createServer, type Server } from 'node:http';
import type { AddressInfo, Server as AnyServer } from 'node:net';

/** Lets a server listen on this machine alone. @returns the port: the one that is wanted, or a free one */
export async function listen(server: AnyServer, port = 0): Promise<number> {
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

/** Stops a server, whoever is still connected. */
export async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((stopped) => server.close(stopped));
}

/** A port for an app that its server must know of before. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await stop(server);
  return port;
}
