// Parts of a blob by range.
const blob = new Blob(['0123456789'], { type: 'text/plain' });

export default {
  fetch(request: Request): Response {
    const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get('range') ?? '');
    if (match === null) return new Response(blob);
    const [, from = '', to = ''] = match;
    const start = from === '' ? blob.size - Number(to) : Number(from);
    const end = from === '' || to === '' ? blob.size : Number(to) + 1;
    if (start >= blob.size) return new Response(null, { status: 416, headers: { 'content-range': `bytes */${blob.size}` } });
    return new Response(blob.slice(start, end, 'text/plain'), { status: 206, headers: { 'content-range': `bytes ${start}-${end - 1}/${blob.size}` } });
  },
};
