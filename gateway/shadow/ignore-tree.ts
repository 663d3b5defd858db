// Members of a JSON body that may differ, as a tree to be walked along with the body: JSON pointers (RFC 6901) in which `*` stands for any member.

export interface IgnoreNode {
  /** A pointer ends here: the member, and what is below it, may differ. */
  ends: boolean;
  readonly members: Map<string, IgnoreNode>;
  any: IgnoreNode | null;
}

function emptyNode(): IgnoreNode {
  return { ends: false, members: new Map(), any: null };
}

/** @param pointers  as the schema of shadows checks them; `''` is the whole body */
export function ignoreTree(pointers: readonly string[]): IgnoreNode {
  const root = emptyNode();
  for (const pointer of pointers) {
    let node = root;
    for (const segment of pointer.split('/').slice(1)) {
      const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
      if (name === '*') {
        node = node.any ??= emptyNode();
        continue;
      }
      let next = node.members.get(name);
      if (next === undefined) node.members.set(name, (next = emptyNode()));
      node = next;
    }
    node.ends = true;
  }
  return root;
}

/** Where no pointer leads any further. */
const NOWHERE: readonly IgnoreNode[] = [];

/** The nodes that a member leads to; null: it may differ. */
export function below(nodes: readonly IgnoreNode[], name: string): readonly IgnoreNode[] | null {
  if (nodes.length === 0) return nodes;
  let found: IgnoreNode[] | undefined;
  for (const node of nodes) {
    const named = node.members.get(name);
    if (named?.ends === true || node.any?.ends === true) return null;
    if (named !== undefined) (found ??= []).push(named);
    if (node.any !== null) (found ??= []).push(node.any);
  }
  return found ?? NOWHERE;
}

/** One more segment. */
export function pointerTo(above: string, name: string): string {
  return `${above}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
