// Intl: numbers, dates, lists, plurals, collation, segments.
import { report } from './lib/report.ts';

const date = new Date(Date.UTC(2026, 1, 3, 4, 5, 6));
/** Spaces differ between releases of the Unicode data; everything else must not. */
const even = (text: string): string => text.replaceAll(/[\u00a0\u202f\u2009]/g, ' ');

export default {
  fetch: async (): Promise<Response> =>
    report({
      'numbers': () => ['en', 'de', 'fr', 'hi', 'ar-EG', 'ja'].map((locale) => even(new Intl.NumberFormat(locale).format(1_234_567.891))),
      'currencies': () => [['en', 'USD'], ['de', 'EUR'], ['ja', 'JPY'], ['fr-CH', 'CHF']].map(([locale, currency]) => even(new Intl.NumberFormat(locale, { style: 'currency', currency: currency as string }).format(1_234.5))),
      'compact and percent': () => [new Intl.NumberFormat('en', { notation: 'compact' }).format(12_345), even(new Intl.NumberFormat('de', { style: 'percent', maximumFractionDigits: 1 }).format(0.1234))],
      'units': () => even(new Intl.NumberFormat('en', { style: 'unit', unit: 'kilometer-per-hour', unitDisplay: 'long' }).format(50)),
      'dates': () => ['en-US', 'en-GB', 'de', 'ja', 'fr'].map((locale) => even(new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(date))),
      'times': () => ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'].map((timeZone) => even(new Intl.DateTimeFormat('en-GB', { dateStyle: 'short', timeStyle: 'medium', timeZone }).format(date))),
      'parts': () => new Intl.DateTimeFormat('en', { year: 'numeric', month: 'short', day: '2-digit', timeZone: 'UTC' }).formatToParts(date).map(({ type, value }) => `${type}:${value}`),
      'lists': () => ['en', 'de'].map((locale) => new Intl.ListFormat(locale).format(['a', 'b', 'c'])),
      'plurals': () => [['en', 1], ['en', 2], ['ru', 2], ['ru', 5], ['ar', 0]].map(([locale, n]) => new Intl.PluralRules(locale as string).select(n as number)),
      'ordinals': () => [1, 2, 3, 4, 11].map((n) => new Intl.PluralRules('en', { type: 'ordinal' }).select(n)),
      'relative times': () => [new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'day'), new Intl.RelativeTimeFormat('de').format(3, 'hour')],
      'collation': () => [['z', 'ä', 'a'].toSorted(new Intl.Collator('de').compare), ['z', 'ä', 'a'].toSorted(new Intl.Collator('sv').compare), ['a10', 'a9'].toSorted(new Intl.Collator('en', { numeric: true }).compare)],
      'segments': () => [[...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment('👩‍👩‍👧é')].length, [...new Intl.Segmenter('en', { granularity: 'word' }).segment('Hello, big world.')].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment)],
      'names': () => [new Intl.DisplayNames('de', { type: 'region' }).of('CH'), new Intl.DisplayNames('en', { type: 'language' }).of('fr-CA'), new Intl.DisplayNames('en', { type: 'currency' }).of('EUR')],
      'locales': () => [new Intl.Locale('zh-Hant-TW').maximize().toString(), Intl.getCanonicalLocales('EN-us')],
      'toLocaleString': () => [even((1_234.5).toLocaleString('de')), even(date.toLocaleDateString('en-US', { timeZone: 'UTC' })), 'I'.toLocaleLowerCase('tr'), (12n ** 20n).toLocaleString('en')],
    }),
};
