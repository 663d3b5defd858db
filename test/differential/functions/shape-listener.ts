// A service worker: the listener answers at once.
import { everyday } from './lib/everyday.ts';

addEventListener('fetch', (event) => {
  event.respondWith(everyday(event.request));
});
