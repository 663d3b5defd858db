// Redirecting answers.
export default {
  fetch(request: Request): Response {
    switch (new URL(request.url).pathname) {
      case '/relative':
        return new Response(null, { status: 302, headers: { location: '/next?a=b' } });
      case '/absolute':
        return Response.redirect('https://other.test/ü?q=ü#ü');
      case '/see-other':
        return Response.redirect(new URL('/made', 'https://a.test').href, 303);
      default:
        return Response.redirect('https://a.test', 308);
    }
  },
};
