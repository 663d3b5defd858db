// When two HTTP triggers are the same pattern: equal host and path whatever the parameters are called, and a method in common.
import type { HttpTrigger, Trigger } from '../../core/schemas/index.ts';

/** `/cards/:id` and `/cards/:card` match the same paths: named groups lose their names, their own patterns stay. */
function withoutNames(pattern: string): string {
  let out = '';
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? '';
    if (c === '\\') {
      out += c + (pattern[i + 1] ?? '');
      i += 1;
    } else if (c === ':' && depth === 0) {
      const name = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/u.exec(pattern.slice(i + 1))?.[0] ?? '';
      out += name === '' ? c : ':_';
      i += name.length;
    } else {
      if (c === '(') depth += 1;
      if (c === ')') depth -= 1;
      out += c;
    }
  }
  return out;
}

/** Triggers with different keys never conflict. Host names compare without case (RFC 9110 section 4.2.3). */
export function patternKey(trigger: HttpTrigger): string {
  return `${trigger.host === undefined ? '*' : withoutNames(trigger.host).toLowerCase()} ${withoutNames(trigger.path)}`;
}

function takes(trigger: HttpTrigger, method: string): boolean {
  const { methods } = trigger;
  if (methods === undefined) return true;
  // A trigger with GET takes HEAD too.
  return methods.some((own) => own === method) || (method === 'HEAD' && methods.includes('GET'));
}

export function methodsOverlap(a: HttpTrigger, b: HttpTrigger): boolean {
  if (a.methods === undefined) return true;
  return a.methods.some((method) => takes(b, method)) || (a.methods.includes('GET') && takes(b, 'HEAD'));
}

/** `GET,PUT api.example/cards/:id`, for messages. */
export function describeTrigger(trigger: Trigger): string {
  return `${trigger.methods?.join(',') ?? 'any method'} ${trigger.host ?? ''}${trigger.path}`;
}
