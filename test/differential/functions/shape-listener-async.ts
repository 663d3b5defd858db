// A service worker that answers later and keeps working after.
import { everyday } from './lib/everyday.ts';

addEventListener('fetch', (event) => {
  event.waitUntil(Promise.resolve('done'));
  event.respondWith(new Promise((resolve) => setTimeout(() => resolve(everyday(event.request)), 5)));
});
