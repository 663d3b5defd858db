// The demo's upstream services as a process: `main.ts PRODUCTS_PORT USERS_PORT`, on loopback.
import type { Server } from 'node:http';
import { productService, userService } from './services.ts';

async function listen(server: Server, port: number): Promise<void> {
  // Longer than the pools of callers keep idle connections, so that no request meets a closing one.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
}

const [productsPort, usersPort] = process.argv.slice(2).map(Number);
if (productsPort === undefined || usersPort === undefined) {
  process.stderr.write('usage: main.ts PRODUCTS_PORT USERS_PORT\n');
  process.exit(2);
}

// Under a supervisor: ready is told, and a lost or draining one ends the process.
process.on('disconnect', () => process.exit(0));
process.on('message', (message: { readonly type: string }) => {
  if (message.type === 'drain') process.exit(0);
});
if (process.send !== undefined) {
  // Ctrl-C reaches the whole process group: the supervisor decides.
  process.on('SIGINT', () => {});
}

process.title = 'thimble upstreams';
await Promise.all([listen(productService(), productsPort), listen(userService(), usersPort)]);
process.send?.({ type: 'ready' });
