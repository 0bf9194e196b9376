import * as tf from "@tensorflow/tfjs-core";
import type { Graph } from "../graph/index.js";
import { Module } from "../module/index.js";
import type { Guards } from "./guards.js";
import type { Plan } from "./runtime/plan.js";
import type { Signature } from "./signature.js";

/** What a program is made of, beside its weights. */
export interface ProgramParts {
  readonly graph: Graph;
  readonly signature: Signature;
  readonly plan: Plan;
  readonly guards: Guards;
  readonly ranges: Readonly<Record<string, { min_val?: number | null; max_val?: number | null }>>;
  /** The tensors that the program uses and no module owns. */
  readonly constants: Map<string, tf.Tensor>;
  /** What calls it, and what prints it: loaded with the first program. */
  readonly run: (program: ExportedProgram, inputs: readonly unknown[]) => unknown;
  readonly print: (parts: ProgramParts) => string;
}

const PARTS = Symbol("parts");

/**
 * A model that `torch.export` wrote, as a module: call it with what the model took in PyTorch, and
 * it gives back what the model gave. Inputs by keyword come as one object after the others.
 *
 * Tuples and lists are arrays; dicts, named tuples, dataclasses and Hugging Face's outputs are plain
 * objects; None is `null`. int64 is int32, since tfjs has no other.
 *
 * @see https://docs.pytorch.org/docs/stable/export.html
 */
export class ExportedProgram extends Module {
  static override readonly name: string = "ExportedProgram";

  declare [PARTS]: ProgramParts;

  constructor(parts: ProgramParts) {
    super();
    this[PARTS] = parts;
  }

  /** The program's nodes, as PyTorch's `ep.graph`; `graph.print()` prints as torch.fx does. */
  get graph(): Graph {
    return this[PARTS].graph;
  }

  /**
   * @param inputs those of the exported model, in its structure.
   * @throws Error with PyTorch's sentence for an input whose structure or sizes are not those that
   *   the program was exported for; an error of an op says at which node it arose, in which module,
   *   and from which line of Python.
   */
  override forward(...inputs: unknown[]): unknown {
    return this[PARTS].run(this, inputs);
  }

  override dispose(): void {
    super.dispose();
    tf.dispose([...this[PARTS].constants.values()]);
  }

  /** As `print(ep)` prints it in PyTorch. */
  override toString(): string {
    return this[PARTS].print(this[PARTS]);
  }
}

// No method: a model may have a child by any name, which is a property here.
export const partsOf = (program: ExportedProgram): ProgramParts => program[PARTS];
