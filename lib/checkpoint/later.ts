/**
 * Loads a module when it is first needed. The promise is kept, because `import()` takes some time
 * in Node even for loaded modules; but not if it failed, so that it can be tried again.
 */
export function later<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () =>
    (loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    }));
}
