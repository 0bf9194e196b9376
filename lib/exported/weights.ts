/** Loads the weights of an exported program. */
import * as tf from "@tensorflow/tfjs-core";
import { type Entry, UnreadableEntry } from "../checkpoint/entry.js";
import { CheckpointError } from "../checkpoint/errors.js";
import type { Node } from "../graph/index.js";
import { Buffer, Parameter } from "../module/index.js";
import type { State } from "../module/parameter.js";
import type { Payloads } from "./archive/open.js";
import { type ModuleTree, toTensor } from "./modules.js";
import { type ExportedProgram, partsOf } from "./program.js";
import type { InputSpec } from "./signature.js";

/** The tensors of the file. */
export interface Tensors {
  /** The name of the file. */
  readonly name: string;
  readonly weights: Payloads;
  readonly constants: Payloads;
}

/**
 * Uploads the weights as they arrive, and assigns them to their modules.
 *
 * @param signal fires if loading has failed: then uploaded tensors are disposed.
 */
export async function addWeights(
  program: ExportedProgram,
  modules: ModuleTree,
  tensors: Tensors,
  signal: AbortSignal,
): Promise<void> {
  const { graph, signature, constants } = partsOf(program);
  const { placeholders } = graph;
  const shared = new Shared();
  const states = new Map<string, State>();
  signal.addEventListener("abort", () => {
    for (const state of states.values()) state.dispose();
    program.dispose();
  });
  for (const [i, spec] of signature.inputs.entries()) {
    if (spec.kind === "user" || spec.kind === "token") continue;
    const entry = await findEntry(tensors, spec.key);
    signal.throwIfAborted();
    if (spec.kind === "constant") constants.set(spec.key, tf.keep(toTensor(entry)));
    else states.set(spec.key, shared.get(entry, spec, placeholders[i]!));
  }
  // In the order of the state_dict.
  const { weights, constants: others } = tensors;
  for (const [key, coming] of [...weights.entries, ...others.entries]) {
    const entry = await coming;
    signal.throwIfAborted();
    // PyTorch 2.5 lists only one of tied weights as an input.
    const state = states.get(key) ?? (weights.entries.has(key) ? shared.find(entry) : undefined);
    if (state !== undefined) modules.set(key, state);
  }
}

function findEntry(
  { name: file, weights, constants: others }: Tensors,
  key: string,
): Promise<Entry> {
  for (const { entries, refused } of [weights, others]) {
    const entry = entries.get(key);
    if (entry !== undefined) return entry;
    const why = refused.get(key);
    if (why !== undefined) throw new CheckpointError(`'${key}' is ${why}`, { file, key });
  }
  throw new CheckpointError(`there is no tensor '${key}' in it`, { file, key });
}

/** Keys with the same bytes are one parameter, as tied weights are in PyTorch. */
class Shared {
  private readonly states = new Map<ArrayBufferLike, Map<string, State>>();

  get(entry: Entry, spec: InputSpec, node: Node): State {
    const known = this.find(entry);
    if (known !== undefined && known instanceof Buffer === (spec.kind === "buffer")) return known;
    const state = toState(entry, spec, node);
    const { buffer, byteLength } = entry.data;
    if (byteLength === 0) return state;
    const at = this.states.get(buffer) ?? new Map<string, State>();
    this.states.set(buffer, at.set(placeOf(entry), state));
    return state;
  }

  find(entry: Entry): State | undefined {
    if (entry instanceof UnreadableEntry) return undefined;
    return this.states.get(entry.data.buffer)?.get(placeOf(entry));
  }
}

const placeOf = ({ data, dtype, shape }: Entry): string =>
  [data.byteOffset, data.byteLength, dtype, ...shape].join();

function toState(entry: Entry, spec: InputSpec, { meta: { value } }: Node): State {
  const tensor = toTensor(entry);
  const isBuffer = spec.kind === "buffer";
  const requiresGrad = value !== undefined && "dtype" in value && value.requiresGrad === true;
  const state = isBuffer
    ? new Buffer(tensor, { persistent: spec.persistent })
    : new Parameter(tensor, { requiresGrad });
  tensor.dispose();
  return state;
}
