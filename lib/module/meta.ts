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
    const model = build();
    if (!(model instanceof Promise)) return model;
    model.catch(() => undefined);
    throw new TypeError("meta: its function must return the model at once, got a Promise");
  } finally {
    depth -= 1;
  }
}

/** Whether a model is being built by `meta`, so that parameters stay without storage. */
export const inMeta = (): boolean => depth > 0;
