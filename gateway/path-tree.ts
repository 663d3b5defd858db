// The triggers of one host pattern, indexed by the literal beginning of their paths.
import type { PathMatcher } from './path-matcher.ts';

export interface Entry<T> {
  readonly owner: T;
  /** Name of the function: breaks ties, and finds its entries again. */
  readonly name: string;
  readonly path: PathMatcher;
  /** Bits of method-set.ts; all bits for every method. */
  readonly methods: number;
}

interface Node<T> {
  children: Map<string, Node<T>> | undefined;
  /** In order of trial. */
  entries: Entry<T>[];
}

const byOrder = <T>(a: Entry<T>, b: Entry<T>): number => a.path.compare(b.path) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

export class PathTree<T> {
  readonly #root: Node<T> = { children: undefined, entries: [] };
  #size = 0;
  /** Nodes along the path of the present search; kept to save the array. */
  readonly #along: Node<T>[] = [];

  get size(): number {
    return this.#size;
  }

  add(entry: Entry<T>): void {
    let node = this.#root;
    for (const segment of entry.path.literalPrefix) {
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) {
        child = { children: undefined, entries: [] };
        node.children.set(segment, child);
      }
      node = child;
    }
    // Almost sorted already: a function is added to a few others.
    const at = node.entries.findIndex((other) => byOrder(entry, other) < 0);
    node.entries.splice(at < 0 ? node.entries.length : at, 0, entry);
    this.#size += 1;
  }

  remove(entry: Entry<T>): void {
    this.#removeBelow(this.#root, entry, 0);
  }

  /** @returns whether the node is empty and may go */
  #removeBelow(node: Node<T>, entry: Entry<T>, depth: number): boolean {
    const segment = entry.path.literalPrefix[depth];
    if (segment === undefined) {
      const at = node.entries.indexOf(entry);
      if (at >= 0) {
        node.entries.splice(at, 1);
        this.#size -= 1;
      }
    } else {
      const child = node.children?.get(segment);
      if (child !== undefined && this.#removeBelow(child, entry, depth + 1)) node.children?.delete(segment);
    }
    return node.entries.length === 0 && (node.children === undefined || node.children.size === 0);
  }

  /**
   * Calls `take` for every entry that matches, the most specific first, until it returns true.
   *
   * @param path  in normal form
   */
  search(path: string, take: (entry: Entry<T>) => boolean): boolean {
    const along = this.#along;
    let depth = 0;
    along[0] = this.#root;
    let at = 1;
    for (let node = this.#root; node.children !== undefined && at <= path.length; ) {
      const slash = path.indexOf('/', at);
      const end = slash < 0 ? path.length : slash;
      const child = node.children.get(path.slice(at, end));
      if (child === undefined) break;
      depth += 1;
      along[depth] = child;
      node = child;
      at = end + 1;
    }
    for (; depth >= 0; depth--) {
      for (const entry of (along[depth] as Node<T>).entries) {
        if (entry.path.matches(path) && take(entry)) return true;
      }
    }
    return false;
  }
}
