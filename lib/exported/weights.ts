/** Gives an exported program its weights. */
import * as tf from "@tensorflow/tfjs-core";
import type { Entry } from "../checkpoint/entry.js";
import { CheckpointError } from "../checkpoint/errors.js";
import type { Node } from "../graph/index.js";
import { Buffer, Parameter } from "../module/index.js";
import type { State } from "../module/parameter.js";
import type { Payloads } from "./archive/open.js";
import { type ModuleTree, toTensor } from "./modules.js";
import { type ExportedProgram, partsOf } from "./program.js";
import type { InputSpec } from "./signature.js";

/** What the file has beside the program. */
export interface Tensors {
  /** Of the file. */
  readonly name: string;
  readonly kinds: readonly Payloads[];
}

/** Uploads the weights, and puts them in their modules. */
export function addWeights(program: ExportedProgram, modules: ModuleTree, tensors: Tensors): void {
  const { graph, signature, constants } = partsOf(program);
  const { placeholders } = graph;
  const shared = new Shared();
  try {
    signature.inputs.forEach((spec, i) => {
      if (spec.kind === "user" || spec.kind === "token") return;
      const entry = findEntry(tensors, spec.key);
      if (spec.kind === "constant") constants.set(spec.key, tf.keep(toTensor(entry)));
      else modules.set(spec.key, shared.get(entry, spec, placeholders[i]!));
    });
  } catch (error) {
    program.dispose();
    throw error;
  }
}

function findEntry({ name: file, kinds }: Tensors, key: string): Entry {
  for (const { entries, refused } of kinds) {
    const entry = entries.get(key);
    if (entry !== undefined) return entry;
    const why = refused.get(key);
    if (why !== undefined) throw new CheckpointError(`'${key}' is ${why}`, { file, key });
  }
  throw new CheckpointError(`there is no tensor '${key}' in it`, { file, key });
}

/** Keys whose bytes are the same ones are one parameter, as tied weights are in PyTorch. */
class Shared {
  private readonly states = new Map<ArrayBufferLike, Map<string, State>>();

  get(entry: Entry, spec: InputSpec, node: Node): State {
    const { buffer, byteOffset, byteLength } = entry.data;
    const at = this.states.get(buffer) ?? new Map<string, State>();
    this.states.set(buffer, at);
    const place = [spec.kind, byteOffset, byteLength, entry.dtype, ...entry.shape].join();
    const state = at.get(place) ?? toState(entry, spec, node);
    if (byteLength > 0) at.set(place, state);
    return state;
  }
}

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
