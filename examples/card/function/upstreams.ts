// Calls of the two upstream services; every failure is one kind of error.

export interface Env {
  readonly PRODUCTS_URL: string;
  readonly USERS_URL: string;
  readonly STAFF_KEY: string;
}

export interface User {
  readonly id: number;
  readonly name: string;
  readonly phone: string;
  readonly tier: string;
  readonly address: { readonly city: string };
}

export interface Product {
  readonly id: number;
  readonly title: string;
  readonly priceCents: number;
  readonly currency: string;
  readonly stock: number;
}

export class UpstreamError extends Error {
  readonly service: string;

  constructor(service: string, message: string) {
    super(message);
    this.service = service;
  }
}

const PRODUCTS_SHOWN = 5;

/** null: there is no such user. */
export async function getUser(env: Env, id: string, signal: AbortSignal): Promise<User | null> {
  return (await getJson('users', `${env.USERS_URL}/users/${id}`, signal)) as User | null;
}

export async function getProducts(env: Env, userId: string, signal: AbortSignal): Promise<readonly Product[]> {
  const found = (await getJson('products', `${env.PRODUCTS_URL}/products?user=${userId}&limit=${PRODUCTS_SHOWN}`, signal)) as { readonly items: readonly Product[] } | null;
  return found?.items ?? [];
}

async function getJson(service: string, url: string, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(url, { signal, headers: { accept: 'application/json' } });
    if (response.status === 404) return null;
    if (!response.ok) throw new UpstreamError(service, `answered ${response.status}`);
    return await response.json();
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError(service, error instanceof Error ? error.message : 'unknown');
  }
}
