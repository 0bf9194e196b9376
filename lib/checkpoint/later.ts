/**
 * A module that is loaded when it is first asked for. What has come is kept: Node's loader takes its
 * time for each `import()`, even of what is there. A failure is not: a page may ask again.
 */
export function later<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () =>
    (loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    }));
}
