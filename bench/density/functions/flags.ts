// Feature flags for one visitor: a cookie decides the bucket, a header the language.
interface Env {
  readonly TEAM: string;
}

const LANGUAGES = ['en', 'de', 'fr', 'zh'];
const FLAGS: readonly { readonly name: string; readonly percent: number }[] = [
  { name: 'checkout-v2', percent: 50 },
  { name: 'dark-mode', percent: 100 },
  { name: 'search-hints', percent: 10 },
  { name: 'new-footer', percent: 25 },
];

/** FNV-1a over UTF-16 code units: the same visitor always gets the same bucket. */
function bucketOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % 100;
}

function visitorOf(cookies: string): string {
  for (const pair of cookies.split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === 'visitor' && value !== undefined) return value;
  }
  return 'nobody';
}

export default {
  fetch(request: Request, env: Env): Response {
    const visitor = visitorOf(request.headers.get('cookie') ?? '');
    const wanted = (request.headers.get('accept-language') ?? '').split(',').map((part) => part.split(';')[0]?.trim().slice(0, 2) ?? '');
    const language = wanted.find((code) => LANGUAGES.includes(code)) ?? 'en';
    const flags = Object.fromEntries(FLAGS.map(({ name, percent }) => [name, bucketOf(`${env.TEAM}/${name}/${visitor}`) < percent]));
    return Response.json({ team: env.TEAM, visitor, language, flags }, { headers: { vary: 'cookie, accept-language' } });
  },
};
