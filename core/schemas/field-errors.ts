// zod issues as the field errors that users read: a path and what was expected.
import type { z } from 'zod';

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** `limits.cpuMs`, `files["a/b.ts"]`, `triggers[0].path`; the empty path is `(body)`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (typeof key === 'string' && /^[A-Za-z_$][\w$-]*$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text === '' ? '(body)' : text;
}

/** One entry a wrong field. Unknown keys are named one by one. */
export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: fieldPath([...issue.path, key]), message: 'is not a known field' }))
      : [{ path: fieldPath(issue.path), message: issue.message }],
  );
}
