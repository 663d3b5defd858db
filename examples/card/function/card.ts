// What the screen shows of a user and their products: no more fields than needed, texts ready to print.
import type { Product, User } from './upstreams.ts';

export interface Card {
  readonly id: number;
  readonly name: string;
  readonly city: string;
  readonly tier: string;
  readonly phone: string;
  readonly products: readonly { readonly id: number; readonly title: string; readonly price: string; readonly available: boolean }[];
}

export function toCard(user: User, products: readonly Product[], showPhone: boolean): Card {
  return {
    id: user.id,
    name: user.name,
    city: user.address.city,
    tier: user.tier,
    phone: showPhone ? user.phone : mask(user.phone),
    products: products.map(({ id, title, priceCents, currency, stock }) => ({ id, title, price: `${(priceCents / 100).toFixed(2)} ${currency}`, available: stock > 0 })),
  };
}

/** Every digit but the last two. */
function mask(phone: string): string {
  return phone.replace(/\d(?=(?:\D*\d){2})/g, '*');
}
