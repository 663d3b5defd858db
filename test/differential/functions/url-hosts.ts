// URL: hosts: international names, IPv4 and IPv6 in every spelling.
import { report } from './lib/report.ts';

const hosts = [
  'ü.test', 'XN--TDA.test', 'straße.test', 'faß.test', 'ΣΑΣ.test', '日本語。テスト', 'a\u00adb.test', '☃.test', 'xn--n3h.test', '%C3%BC.test', 'a%2eb.test', 'xn--a.test', 'xn--.test', 'a_b.test', '-a-.test', 'a..b', 'a.', '.a', 'ａ.test', 'İ.test', '1\u2490test',
  '127.0.0.1', '127.1', '0x7f.1', '017700000001', '2130706433', '256.1.1.1', '1.2.3.4.5', '1.2.3.4.', '0xffffffff', '0x100000000', '1.2.3.09', 'a.1', '1.a', '0x.0x.0', '１２７.0.0.1',
  '[::1]', '[0:0:0:0:0:0:0:1]', '[1:0:0:2:0:0:0:3]', '[::ffff:1.2.3.4]', '[::1.2.3]', '[1::2::3]', '[FE80::A]', '[fe80::1%25eth0]', '[::]', '[1:2:3:4:5:6:7]', '[:1]',
  'a\tb.test', 'a b', 'a#b', 'a/b', 'a\\b', 'a|b', 'a^b', 'a%20b', '*.test', 'a!b$&()*+,;', 'localhost', 'LOCALHOST',
];

export default {
  fetch: async (): Promise<Response> =>
    report(Object.fromEntries(hosts.flatMap((host) => [
      [`host ${JSON.stringify(host)}`, () => URL.parse(`http://${host}/`)?.host ?? null],
      [`other ${JSON.stringify(host)}`, () => URL.parse(`custom://${host}/`)?.host ?? null],
    ]))),
};
