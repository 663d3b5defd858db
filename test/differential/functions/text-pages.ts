// A page of HTML made of templates: what a rendering function does.
const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const html = (strings: TemplateStringsArray, ...values: readonly unknown[]): string => strings.reduce((page, part, i) => `${page}${part}${i < values.length ? String(values[i]).replaceAll(/[&<>"']/g, (c) => escapes[c] ?? c) : ''}`, '');

export default {
  fetch(): Response {
    const items = ['<b>', '"quoted"', "it's", 'a & b', '☃'];
    return new Response(`<!doctype html>\n<ul>\n${items.map((item) => html`<li>${item}</li>`).join('\n')}\n</ul>\n`, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  },
};
