/**
 * Shared by the models of Hugging Face's transformers: configs, activations, keys of earlier
 * versions.
 */
import { describe } from "../arguments.js";
import {
  Embedding,
  GELU,
  Hardswish,
  LeakyReLU,
  Linear,
  ReLU,
  ReLU6,
  Sigmoid,
  SiLU,
  Tanh,
} from "../layers/index.js";
import { init, type Module } from "../module/index.js";

/** The name of `nn.GELU` in transformers. */
class GELUActivation extends GELU {
  static override readonly name: string = "GELUActivation";

  override extraRepr(): string {
    return "";
  }
}

/** The name in transformers of `nn.GELU` with `tanh`. */
class NewGELUActivation extends GELUActivation {
  static override readonly name: string = "NewGELUActivation";

  constructor() {
    super({ approximate: "tanh" });
  }
}

/** The activations by their names in a config, as in `ACT2FN`. */
const ACTIVATIONS: Readonly<Record<string, () => Module>> = {
  gelu: () => new GELUActivation(),
  gelu_new: () => new NewGELUActivation(),
  gelu_pytorch_tanh: () => new NewGELUActivation(),
  hardswish: () => new Hardswish(),
  leaky_relu: () => new LeakyReLU(),
  relu: () => new ReLU(),
  relu6: () => new ReLU6(),
  sigmoid: () => new Sigmoid(),
  silu: () => new SiLU(),
  swish: () => new SiLU(),
  tanh: () => new Tanh(),
};

export function activation(where: string, name: string): Module {
  if (Object.hasOwn(ACTIVATIONS, name)) return ACTIVATIONS[name]!();
  const known = Object.keys(ACTIVATIONS).join(", ");
  throw new Error(`${where}: no activation '${name}'; there are: ${known}`);
}

/**
 * Reads a config, with transformers' defaults for missing entries. Entries of a `config.json` that
 * do not matter (names, versions, training settings) are ignored; settings that the model does not
 * support are an error.
 */
export function readConfig<T extends object>(
  where: string,
  defaults: T,
  given: Readonly<Partial<T>>,
  unsupported: Readonly<Record<string, readonly unknown[]>>,
): T {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${where}: a config must be an object, got ${describe(given)}`);
  }
  const all = given as Record<string, unknown>;
  for (const [key, allowed] of Object.entries(unsupported)) {
    const value = all[key];
    if (value === undefined || allowed.includes(value)) continue;
    throw new Error(
      `${where}: config.${key} must be ${allowed.map((one) => JSON.stringify(one)).join(" or ")}, ` +
        `got ${JSON.stringify(value)}`,
    );
  }
  const config: T = { ...defaults };
  for (const key in defaults) if (given[key] !== undefined) config[key] = given[key]!;
  return config;
}

export function checkHeads(where: string, size: number, heads: number): void {
  if (size % heads === 0) return;
  throw new Error(
    `${where}: The hidden size (${size}) is not a multiple of the number of attention heads (${heads})`,
  );
}

/** Initialises weights as transformers does: N(0, std²); biases and the padding row 0. */
export function initialise(module: Module, std: number): void {
  if (module instanceof Linear) {
    init.normal_(module.weight, { std });
    if (module.bias) init.zeros_(module.bias);
  } else if (module instanceof Embedding) {
    init.normal_(module.weight, { std });
    module.zeroPadding();
  }
}

/**
 * Lets a base model load what transformers would load into it: checkpoints of models with a head,
 * whose keys begin with the name of the base model (those of the head are ignored), and keys of
 * earlier versions.
 *
 * @param rename the current key for an earlier one, or `null` to drop it.
 */
export function loadOldKeys(
  model: Module,
  base: string,
  rename: (key: string) => string | null,
): void {
  model.registerLoadStateDictPreHook((state, prefix) => {
    const own = [...state].filter(([key]) => key.startsWith(prefix));
    const inner = `${prefix}${base}.`;
    const hasHead = own.some(([key]) => key.startsWith(inner));
    for (const [key, value] of own) {
      state.delete(key);
      if (hasHead && !key.startsWith(inner)) continue;
      const today = rename(key.slice(hasHead ? inner.length : prefix.length));
      if (today !== null) state.set(prefix + today, value);
    }
  });
}
