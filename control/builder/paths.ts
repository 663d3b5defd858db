// Paths of uploaded files: relative, with plain segments between slashes; '' is the upload's root.

/** The path that `specifier` names from `folder`; undefined above the root. */
export function joinPath(folder: string, specifier: string): string | undefined {
  const segments = folder === '' ? [] : folder.split('/');
  for (const segment of specifier.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join('/');
}

export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** With its dot; '' when the name has none. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}

/** `folder` and the folders above it, the root last. */
export function foldersUp(folder: string): string[] {
  const all = [folder];
  for (let at = folder; at !== ''; ) all.push((at = folderOf(at)));
  return all;
}

export function inFolder(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** Whether the file came with a package and is not the author's. */
export function isOfPackage(path: string): boolean {
  return path.startsWith('node_modules/') || path.includes('/node_modules/');
}
