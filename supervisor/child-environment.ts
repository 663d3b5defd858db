// The environment of child processes: what Node and TLS need, and nothing that could hold a secret.

const PASSED = ['PATH', 'TZ', 'LANG', 'LC_ALL', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** Marks by which a test harness finds processes whose parent has died. Functions never see the process's environment. */
const MARK = 'THIMBLE_OUTSIDE_';

export function childEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [key, text] of Object.entries(environment)) {
    if (text !== undefined && (PASSED.includes(key) || key.startsWith(MARK))) passed[key] = text;
  }
  return passed;
}
