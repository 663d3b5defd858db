// TextDecoder: labels of the standard and the names they stand for.
import { report, thrown } from './lib/report.ts';

const labels = [
  '866', 'cp866', 'csisolatin2', 'latin2', 'l3', 'arabic', 'ecma-118', 'greek8', 'hebrew', 'visual', 'logical', 'latin6', 'iso885915', 'l9', 'koi', 'koi8-ru', 'mac', 'x-mac-roman', 'dos-874', 'tis-620', 'cp1250', 'x-cp1251',
  'l1', 'us-ascii', 'iso8859-1', 'latin5', 'x-cp1258', 'x-mac-ukrainian', 'chinese', 'gb_2312-80', 'x-gbk', 'big5-hkscs', 'cn-big5', 'x-euc-jp', 'csiso2022jp', 'ms932', 'sjis', 'windows-31j', 'x-sjis', 'korean', 'ksc5601', 'windows-949',
  'unicodefeff', 'csunicode', 'iso-10646-ucs-2', 'x-unicode20utf8',
];

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(labels.map((label) => [label, () => [new TextDecoder(label).encoding, new TextDecoder(`\t${label.toUpperCase()} `).encoding]])),
      'refused': () => ['csiso2022kr', 'hz-gb-2312', 'iso-2022-cn', 'iso-2022-cn-ext', 'utf-7', 'cp437', 'ebcdic'].map((label) => thrown(() => new TextDecoder(label))),
    }),
};
