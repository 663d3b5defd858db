// Fields of a head as it travels between gateway and hosts: names and values in turn, parted by line feeds (core/protocol/frames.ts).

/** Calls `each` with every field. @param at  where the first name begins */
export function eachField(head: string, at: number, each: (name: string, value: string) => void): void {
  for (let from = at; from < head.length; ) {
    const nameEnd = head.indexOf('\n', from);
    if (nameEnd < 0) return;
    const lineEnd = head.indexOf('\n', nameEnd + 1);
    const end = lineEnd < 0 ? head.length : lineEnd;
    each(head.slice(from, nameEnd), head.slice(nameEnd + 1, end));
    from = end + 1;
  }
}

/** Where the fields of a request head begin: behind method and URL. */
export function fieldsOfRequest(head: string): number {
  const methodEnd = head.indexOf('\n');
  const urlEnd = head.indexOf('\n', methodEnd + 1);
  return urlEnd < 0 ? head.length : urlEnd + 1;
}

/** All values of a field, joined by commas as RFC 9110 section 5.3 allows; '' when it is not there. @param name  in lower case */
export function fieldValue(head: string, at: number, name: string): string {
  let joined: string | undefined;
  eachField(head, at, (field, value) => {
    if (field === name || field.toLowerCase() === name) joined = joined === undefined ? value : `${joined}, ${value}`;
  });
  return joined ?? '';
}
