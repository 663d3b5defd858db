// The examples as a Fastify user writes them, on plain Node. Takes the upstreams' addresses from the environment, tells its port over IPC.
import { Readable, Transform } from 'node:stream';
import Fastify from 'fastify';
import { toCard } from '../../examples/card/function/card.ts';
import { getProducts, getUser } from '../../examples/card/function/upstreams.ts';

const BODY_BYTES = 209_715_200;
const CHUNKS = 1_000;

const app = Fastify({ logger: false, bodyLimit: BODY_BYTES });

app.get('/hello', (_request, reply) => {
  reply.type('text/plain;charset=UTF-8').send('Hello from Thimble\n');
});

app.get('/json', (request, reply) => {
  reply.send({
    message: 'hello',
    method: request.method,
    path: new URL(request.url, 'http://localhost').pathname,
    name: request.query.name ?? 'world',
    agent: request.headers['user-agent'] ?? null,
    items: [1, 2, 3, 4, 5].map((id) => ({ id, label: `item ${id}`, even: id % 2 === 0 })),
  });
});

app.get('/cards/:id', async (request, reply) => {
  const { id } = request.params;
  const signal = AbortSignal.timeout(2_000);
  const [user, products] = await Promise.all([getUser(process.env, id, signal), getProducts(process.env, id, signal)]);
  if (user === null) return reply.code(404).send({ error: 'not_found', message: `there is no card ${id}` });
  const staff = request.headers.authorization === `Bearer ${process.env.STAFF_KEY}`;
  return reply.header('cache-control', 'private, max-age=10').send(toCard(user, products, staff));
});

app.get('/stream', (_request, reply) => {
  let next = 0;
  const body = new Readable({
    read() {
      this.push(`chunk ${next}\n`);
      next += 1;
      if (next === CHUNKS) this.push(null);
    },
  });
  reply.type('text/plain; charset=utf-8').send(body);
});

// The body stays a stream: Fastify's own parsers would buffer it.
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
app.post('/echo', (request, reply) => {
  const counter = new Transform({
    transform(chunk, _encoding, done) {
      this.bytes = (this.bytes ?? 0) + chunk.length;
      done(null, chunk);
    },
  });
  reply.type(request.headers['content-type'] ?? 'application/octet-stream').send(request.body.pipe(counter));
});

await app.listen({ host: '127.0.0.1', port: 0 });
process.send({ port: app.server.address().port });
process.once('disconnect', () => process.exit(0));
