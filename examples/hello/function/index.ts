// The smallest function.
export default {
  fetch(): Response {
    return new Response('Hello from Thimble\n');
  },
};
