// A JSON answer from path and query, as most small BFF functions give.
interface Env {
  readonly TEAM: string;
}

export default {
  fetch(request: Request, env: Env): Response {
    const url = new URL(request.url);
    const id = Number(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
    if (!Number.isInteger(id)) return Response.json({ error: 'bad_request', message: 'try /users/42' }, { status: 400 });
    const fields = (url.searchParams.get('fields') ?? 'name').split(',');
    const all: Readonly<Record<string, unknown>> = { name: `User ${id}`, plan: id % 3 === 0 ? 'gold' : 'basic', since: 2000 + (id % 25), team: env.TEAM };
    return Response.json({ id, ...Object.fromEntries(fields.filter((field) => field in all).map((field) => [field, all[field]])) });
  },
};
