import * as tf from "@tensorflow/tfjs-core";
import type { Graph } from "../graph/index.js";
import { Module } from "../module/index.js";
import type { Guards } from "./guards.js";
import type { Plan } from "./runtime/plan.js";
import type { Signature } from "./signature.js";

/** The parts of a program besides its weights. */
export interface ProgramParts {
  readonly graph: Graph;
  readonly signature: Signature;
  readonly plan: Plan;
  readonly guards: Guards;
  readonly ranges: Readonly<Record<string, { min_val?: number | null; max_val?: number | null }>>;
  /** The tensors of the program that belong to no module. */
  readonly constants: Map<string, tf.Tensor>;
  /** The functions that call and print it, which are loaded with the first program. */
  readonly run: (program: ExportedProgram, inputs: readonly unknown[]) => unknown;
  readonly print: (parts: ProgramParts) => string;
}

const PARTS = Symbol("parts");

/**
 * A model written by `torch.export`, as a module: it takes the arguments of the model in PyTorch,
 * and returns its results. Keyword arguments are given as one object after the others.
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

  /**
   * The nodes of the program, as PyTorch's `ep.graph`; `graph.print()` prints them like torch.fx.
   */
  get graph(): Graph {
    return this[PARTS].graph;
  }

  /**
   * @param inputs the arguments of the exported model, nested as there.
   * @throws Error with PyTorch's message if the structure or the sizes of an input are not those
   *   that the program was exported for. Errors of ops tell the node, the module, and the line of
   *   Python code.
   */
  override forward(...inputs: unknown[]): unknown {
    return this[PARTS].run(this, inputs);
  }

  override dispose(): void {
    super.dispose();
    tf.dispose([...this[PARTS].constants.values()]);
  }

  /** The text of `print(ep)` in PyTorch. */
  override toString(): string {
    return this[PARTS].print(this[PARTS]);
  }
}

// Not a method, because a child of the model may have any name, and is a property.
export const partsOf = (program: ExportedProgram): ProgramParts => program[PARTS];
