// URL parsing for isolates: Node's URL is native, so the isolate asks for all components at once.

/** href, protocol, username, password, host, hostname, port, pathname, search, hash, origin: none of them can hold a line feed. */
function components(url: URL): string {
  return `${url.href}\n${url.protocol}\n${url.username}\n${url.password}\n${url.host}\n${url.hostname}\n${url.port}\n${url.pathname}\n${url.search}\n${url.hash}\n${url.origin}`;
}

/** '' when the address is invalid. */
export function parseUrl(address: string, base: string | undefined): string {
  const url = URL.parse(address, base);
  return url === null ? '' : components(url);
}

const SETTERS: ReadonlySet<string> = new Set(['href', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash']);

/** Applies one setter; '' when the new value of `href` is invalid. */
export function setUrlComponent(href: string, name: string, value: string): string {
  const url = URL.parse(href);
  if (url === null || !SETTERS.has(name)) return '';
  try {
    (url as unknown as Record<string, string>)[name] = value;
  } catch {
    return '';
  }
  return components(url);
}
