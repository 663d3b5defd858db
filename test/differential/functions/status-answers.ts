// Answers of each status, with a body where the status may have one.
const WITHOUT_BODY = new Set([204, 205, 304]);

export default {
  fetch(request: Request): Response {
    const status = Number(new URL(request.url).pathname.slice(1));
    const headers = { 'x-status': String(status), ...(status >= 300 && status < 400 && status !== 304 ? { location: '/elsewhere' } : {}), ...(WITHOUT_BODY.has(status) ? {} : { 'content-type': 'text/plain' }) };
    return new Response(WITHOUT_BODY.has(status) ? null : `status ${status}`, { status, headers });
  },
};
