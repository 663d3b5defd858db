// A default function.
import { everyday } from './lib/everyday.ts';

export default async function handle(request: Request): Promise<Response> {
  return everyday(request);
}
