// All http triggers of a node: host patterns over path trees; the most specific trigger that takes the method wins.
import { URLPattern } from 'urlpattern-polyfill';
import type { Trigger } from '../core/schemas/index.ts';
import { allowList, methodSet } from './method-set.ts';
import { PathMatcher } from './path-matcher.ts';
import { PathTree } from './path-tree.ts';
import type { Entry } from './path-tree.ts';

const LITERAL_HOST = /^[A-Za-z0-9.-]+$/;
const LITERAL_LABEL = /^[a-z0-9-]+$/;

/** The triggers of one host pattern that is not plain text. */
interface HostGroup<T> {
  readonly pattern: string;
  readonly tree: PathTree<T>;
  compiled: URLPattern | undefined;
}

/** Host patterns by the labels they end with, so that a host is not tried against all of them. */
interface LabelNode<T> {
  readonly children: Map<string, LabelNode<T>>;
  /** The longer pattern first: it says more about the host. */
  groups: HostGroup<T>[];
}

interface Place<T> {
  readonly tree: PathTree<T>;
  readonly entry: Entry<T>;
  /** '' for every host. */
  readonly host: string;
}

/** Plain host names compare in lower case; in a pattern case may have a meaning, as in `\\D`. */
function hostKey(host: string | undefined): string {
  if (host === undefined) return '';
  return LITERAL_HOST.test(host) ? host.toLowerCase() : host;
}

/** Labels at the end of a host pattern that are plain text, the last label first. The first label never is one of them. */
function literalSuffix(pattern: string): string[] {
  const labels = pattern.split('.');
  const suffix: string[] = [];
  for (let i = labels.length - 1; i > 0; i--) {
    const label = labels[i] as string;
    if (!LITERAL_LABEL.test(label)) break;
    suffix.push(label);
  }
  return suffix;
}

export class TriggerIndex<T> {
  readonly #exact = new Map<string, PathTree<T>>();
  readonly #patterns: LabelNode<T> = { children: new Map(), groups: [] };
  #patternCount = 0;
  readonly #any = new PathTree<T>();
  readonly #places = new Map<string, Place<T>[]>();
  // State of the search under way: one closure for all searches.
  #bit = 0;
  #found: T | undefined;
  #allowed = 0;
  readonly #take = (entry: Entry<T>): boolean => {
    if ((entry.methods & this.#bit) === 0) {
      this.#allowed |= entry.methods;
      return false;
    }
    this.#found = entry.owner;
    return true;
  };

  /** Replaces the triggers of function `name`. */
  set(name: string, owner: T, triggers: readonly Trigger[]): void {
    this.remove(name);
    if (triggers.length === 0) return;
    this.#places.set(
      name,
      triggers.map((trigger) => {
        const host = hostKey(trigger.host);
        const tree = this.#treeFor(host);
        const entry = { owner, name, path: new PathMatcher(trigger.path), methods: methodSet(trigger.methods) };
        tree.add(entry);
        return { tree, entry, host };
      }),
    );
  }

  remove(name: string): void {
    for (const { tree, entry, host } of this.#places.get(name) ?? []) {
      tree.remove(entry);
      if (tree.size === 0 && host !== '') this.#dropHost(host);
    }
    this.#places.delete(name);
  }

  /**
   * The function for a request; undefined when no trigger takes it (`allow` says whether one would with another method).
   *
   * @param hostname  lower case, no port
   * @param path  in normal form
   * @param bit  the method (method-set.ts)
   */
  find(hostname: string, path: string, bit: number): T | undefined {
    this.#bit = bit;
    this.#found = undefined;
    this.#allowed = 0;
    if (this.#exact.size > 0 && this.#exact.get(hostname)?.search(path, this.#take) === true) return this.#found;
    if (this.#patternCount > 0 && this.#searchPatterns(hostname, path)) return this.#found;
    if (this.#any.size > 0) this.#any.search(path, this.#take);
    return this.#found;
  }

  /** After a search that found nothing: the Allow value of the triggers that match but for the method, or ''. */
  get allow(): string {
    return allowList(this.#allowed);
  }

  #searchPatterns(hostname: string, path: string): boolean {
    const along = [this.#patterns];
    let node: LabelNode<T> | undefined = this.#patterns;
    for (let end = hostname.length; end > 0 && node.children.size > 0; ) {
      const dot = hostname.lastIndexOf('.', end - 1);
      node = node.children.get(hostname.slice(dot + 1, end));
      if (node === undefined) break;
      along.push(node);
      end = dot;
    }
    for (let i = along.length - 1; i >= 0; i--) {
      for (const group of (along[i] as LabelNode<T>).groups) {
        group.compiled ??= new URLPattern({ hostname: group.pattern });
        if (group.compiled.test({ hostname }) && group.tree.search(path, this.#take)) return true;
      }
    }
    return false;
  }

  #treeFor(host: string): PathTree<T> {
    if (host === '') return this.#any;
    if (LITERAL_HOST.test(host)) {
      let tree = this.#exact.get(host);
      if (tree === undefined) {
        tree = new PathTree();
        this.#exact.set(host, tree);
      }
      return tree;
    }
    let node = this.#patterns;
    for (const label of literalSuffix(host)) {
      let child = node.children.get(label);
      if (child === undefined) {
        child = { children: new Map(), groups: [] };
        node.children.set(label, child);
      }
      node = child;
    }
    let group = node.groups.find((g) => g.pattern === host);
    if (group === undefined) {
      group = { pattern: host, tree: new PathTree(), compiled: undefined };
      node.groups.push(group);
      node.groups.sort((a, b) => b.pattern.length - a.pattern.length || (a.pattern < b.pattern ? -1 : 1));
      this.#patternCount += 1;
    }
    return group.tree;
  }

  #dropHost(host: string): void {
    if (LITERAL_HOST.test(host)) {
      this.#exact.delete(host);
      return;
    }
    const suffix = literalSuffix(host);
    const along: LabelNode<T>[] = [this.#patterns];
    for (const label of suffix) along.push((along.at(-1) as LabelNode<T>).children.get(label) as LabelNode<T>);
    const last = along.at(-1) as LabelNode<T>;
    last.groups = last.groups.filter((group) => group.pattern !== host);
    this.#patternCount -= 1;
    for (let i = along.length - 1; i > 0; i--) {
      const node = along[i] as LabelNode<T>;
      if (node.groups.length > 0 || node.children.size > 0) return;
      along[i - 1]?.children.delete(suffix[i - 1] as string);
    }
  }
}
