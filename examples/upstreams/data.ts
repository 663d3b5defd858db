// The records of the demo's two services: generated, and the same in every run.

export interface Product {
  readonly id: number;
  readonly sku: string;
  readonly ownerId: number;
  readonly title: string;
  readonly description: string;
  readonly priceCents: number;
  readonly currency: 'EUR';
  readonly stock: number;
  readonly tags: readonly string[];
  readonly warehouse: { readonly aisle: number; readonly shelf: string };
  readonly score: number;
}

export interface User {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly tier: 'basic' | 'plus' | 'gold';
  readonly address: { readonly street: string; readonly city: string; readonly postcode: string };
  readonly joined: string;
  readonly notes: string;
}

export const PRODUCTS = 5_000;
export const USERS = 3_000;

const ADJECTIVES = ['Quiet', 'Bright', 'Sturdy', 'Foldable', 'Compact', 'Warm', 'Light', 'Silver', 'Oak', 'Travel'];
const THINGS = ['Lamp', 'Kettle', 'Backpack', 'Notebook', 'Chair', 'Headset', 'Bottle', 'Bicycle', 'Blanket', 'Clock'];
const FIRST = ['Ada', 'Linus', 'Grace', 'Alan', 'Barbara', 'Edsger', 'Margaret', 'Ken', 'Radia', 'Dennis'];
const LAST = ['Byron', 'Berg', 'Miller', 'Weber', 'Rossi', 'Novak', 'Silva', 'Dubois', 'Larsen', 'Kowalski'];
const CITIES = ['Lisbon', 'Vienna', 'Oslo', 'Prague', 'Lyon', 'Turin', 'Ghent', 'Bergen', 'Porto', 'Graz'];
const TAGS = ['home', 'kitchen', 'office', 'outdoor', 'gift', 'sale', 'new', 'kids'];
const TIERS = ['basic', 'plus', 'gold'] as const;

/** Park and Miller's minimal standard generator: the same numbers on every machine. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

function pick<T>(list: readonly T[], at: number): T {
  const item = list[at % list.length];
  if (item === undefined) throw new RangeError('the list is empty');
  return item;
}

export function makeProducts(): Product[] {
  const next = numbers(20_240_501);
  return Array.from({ length: PRODUCTS }, (_, at) => {
    const title = `${pick(ADJECTIVES, next(1_000))} ${pick(THINGS, next(1_000))}`;
    return {
      id: at + 1,
      sku: `SKU-${String(at + 1).padStart(6, '0')}`,
      ownerId: next(USERS) + 1,
      title,
      description: `${title}, number ${at + 1} of the catalogue. ${'Well made and easy to keep clean. '.repeat(1 + next(4))}`,
      priceCents: 199 + next(99_800),
      currency: 'EUR',
      stock: next(500),
      tags: [pick(TAGS, next(1_000)), pick(TAGS, next(1_000))],
      warehouse: { aisle: next(40) + 1, shelf: 'ABCDEFGH'.charAt(next(8)) },
      score: next(1_000) / 1_000,
    };
  });
}

export function makeUsers(): User[] {
  const next = numbers(19_700_101);
  return Array.from({ length: USERS }, (_, at) => {
    const first = pick(FIRST, next(1_000));
    const last = pick(LAST, next(1_000));
    return {
      id: at + 1,
      name: `${first} ${last}`,
      email: `${first}.${last}.${at + 1}@example.test`.toLowerCase(),
      phone: `+43 660 ${String(1_000_000 + next(8_999_999))}`,
      tier: pick(TIERS, next(1_000)),
      address: { street: `${next(200) + 1} Market Street`, city: pick(CITIES, next(1_000)), postcode: String(10_000 + next(89_999)) },
      joined: new Date(Date.UTC(2015, 0, 1) + next(3_000) * 86_400_000).toISOString().slice(0, 10),
      notes: 'internal: not for customers',
    };
  });
}
