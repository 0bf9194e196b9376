let depth = 0;

/**
 * Builds a model whose parameters have shape and dtype but no storage, to be filled by
 * `loadStateDict`: a large checkpoint is then loaded without initialising the model first.
 *
 * @example const model = nn.meta(() => new Net()); model.loadStateDict(await nn.load(url));
 */
export function meta<T>(build: () => T): T {
  depth += 1;
  try {
    return build();
  } finally {
    depth -= 1;
  }
}

/** Whether initialisers leave parameters without storage. */
export const inMeta = (): boolean => depth > 0;
