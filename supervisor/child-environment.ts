// The environment of child processes: what Node and TLS need, and nothing that could hold a secret.

const PASSED = ['PATH', 'TZ', 'LANG', 'LC_ALL', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** Marks by which a test harness finds processes whose parent has died. Functions never see the process's environment. */
const MARK = 'THIMBLE_OUTSIDE_';

type Environment = Readonly<Record<string, string | undefined>>;

export function childEnvironment(environment: Environment): Record<string, string> {
  return pick(environment, PASSED);
}

/** Of a host: it starts no program and speaks no TLS, but time zone and language are seen by functions. */
export function hostEnvironment(environment: Environment): Record<string, string> {
  return pick(environment, ['TZ', 'LANG', 'LC_ALL']);
}

function pick(environment: Environment, names: readonly string[]): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [key, text] of Object.entries(environment)) {
    if (text !== undefined && (names.includes(key) || key.startsWith(MARK))) passed[key] = text;
  }
  return passed;
}
