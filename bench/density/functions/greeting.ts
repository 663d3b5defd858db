// The smallest one: a text for one team.
interface Env {
  readonly TEAM: string;
}

export default {
  fetch(_request: Request, env: Env): Response {
    return new Response(`Hello from ${env.TEAM}!`);
  },
};
