/** Runs a functional graph: executes each node once and frees each tensor after its last use. */
import * as tf from "@tensorflow/tfjs-core";
import { asBody, isDispatched } from "../../functional/op.js";
import {
  type Argument,
  type Graph,
  Literal,
  Node,
  nodesIn,
  type TensorMeta,
} from "../../graph/index.js";
import { isComplex } from "../aten/support/complex.js";
import type { Lowered } from "../lower/lower.js";
import { lookUpOp } from "../look-up.js";
import { type AtenContext, type AtenOp, findRegistered } from "../op-table.js";
import type { Subgraph } from "./control.js";
import { locate } from "./errors.js";
import { OWN_OPS } from "./own-ops.js";

type Values = unknown[];
type Reader = (values: Values) => unknown;

interface Instruction {
  readonly node: Node;
  readonly op: AtenOp;
  readonly args: Reader;
  readonly kwargs: Reader;
  readonly context: AtenContext;
  readonly slot: number;
  /** The slots that no later instruction reads. */
  readonly release: readonly number[];
}

/** Is called before and after each instruction, and may replace its value. */
export interface Observer {
  before(index: number, values: Values): void;
  after(index: number, values: Values): void;
}

export interface PlanResult {
  readonly outputs: unknown;
  /** The new values of inputs that the program mutates. */
  readonly written: readonly unknown[];
}

/** A node whose op does not exist here. */
export interface Missing {
  readonly target: string;
  readonly node: Node;
}

export class Plan {
  readonly instructions: Instruction[] = [];
  readonly missing: Missing[] = [];
  readonly slots = new Map<Node, number>();
  readonly written: readonly string[];
  /** The nodes whose values the program returns. */
  readonly outputs: readonly Node[];
  private readonly inputs: readonly number[];
  private readonly functions: [slot: number, run: Subgraph][] = [];
  private readonly output: Reader;

  constructor(
    lowered: Lowered,
    /** Whether a placeholder is a weight or constant. */
    readonly isWeight: (node: Node) => boolean = () => false,
  ) {
    const { graph, written, subgraphs } = lowered;
    this.written = written;
    graph.nodes.forEach((node, i) => this.slots.set(node, i));
    const last = lastReads(graph.nodes);
    const asserted = assertedIn(graph);
    for (const node of graph.nodes) {
      if (node.kind === "get_attr") this.addFunction(node, subgraphs);
      if (node.kind === "call_function")
        this.addCall(node, last.get(node) ?? [], asserted.has(node));
    }
    this.inputs = graph.placeholders.map((node) => this.slots.get(node)!);
    this.outputs = graph.output!.inputs();
    this.output = this.reader(graph.output!.args[0]);
  }

  private addFunction(node: Node, subgraphs: ReadonlyMap<string, Lowered>): void {
    const lowered = subgraphs.get(node.target);
    if (lowered === undefined) throw new TypeError(`there is no graph '${node.target}'`);
    const plan = new Plan(lowered);
    this.missing.push(...plan.missing);
    this.functions.push([this.slots.get(node)!, (...inputs) => plan.run(inputs).outputs]);
  }

  private addCall(node: Node, release: readonly Node[], isAsserted: boolean): void {
    const found = findRegistered(node.target) ?? ownOp(node.target) ?? lookUpOp(node.target);
    if (found === undefined) this.missing.push({ target: node.target, node });
    const op: AtenOp = found ?? (() => null);
    this.instructions.push({
      node,
      op: isAsserted ? (...call) => (isDispatched() ? null : op(...call)) : op,
      args: this.reader(node.args),
      kwargs: this.reader(node.kwargs),
      context: { node, outputs: outputMetas(node), inputs: node.args.map(inputMeta) },
      slot: this.slots.get(node)!,
      release: release.map((one) => this.slots.get(one)!),
    });
  }

  /** Compiles an argument to a function that puts values in the place of nodes. */
  private reader(argument: Argument): Reader {
    if (argument instanceof Node) {
      const slot = this.slots.get(argument)!;
      return (values) => values[slot];
    }
    if (argument instanceof Literal) return () => argument.value;
    if (nodesIn(argument).length === 0) {
      const constant = plainValue(argument);
      return () => constant;
    }
    if (Array.isArray(argument)) {
      const readers = (argument as Argument[]).map((one) => this.reader(one));
      return (values) => readers.map((read) => read(values));
    }
    const readers = Object.entries(argument as Record<string, Argument>).map(
      ([key, one]): [string, Reader] => [key, this.reader(one)],
    );
    return (values) => Object.fromEntries(readers.map(([key, read]) => [key, read(values)]));
  }

  /** Must be called inside `tf.tidy`. The inputs are not disposed, and may be among the outputs. */
  run(inputs: readonly unknown[], observer?: Observer): PlanResult {
    const values: Values = [];
    const counts = new Counts(inputs);
    this.inputs.forEach((slot, i) => (values[slot] = inputs[i]));
    for (const [slot, fn] of this.functions) values[slot] = fn;
    this.instructions.forEach((instruction, i) => {
      observer?.before(i, values);
      const value = execute(instruction, values);
      values[instruction.slot] = value;
      counts.add(value);
      observer?.after(i, values);
      if (observer !== undefined) return; // hooks may read any value
      for (const slot of instruction.release) {
        counts.remove(values[slot]);
        values[slot] = undefined;
      }
    });
    const [outputs, written] = this.output(values) as [unknown, unknown[]];
    return { outputs, written };
  }
}

const ownOp = (target: string): AtenOp | undefined =>
  Object.hasOwn(OWN_OPS, target) ? OWN_OPS[target] : undefined;

function execute({ op, args, kwargs, context, node }: Instruction, values: Values): unknown {
  try {
    return tf.tidy(() => {
      const read = args(values) as unknown[];
      const named = kwargs(values) as Record<string, unknown>;
      return asBody(() => op(read, named, context)) as tf.TensorContainer;
    });
  } catch (error) {
    throw locate(error, node);
  }
}

/**
 * Values of tensors that are read only for assertions. While tracing there are no values to read,
 * so those nodes are skipped.
 */
function assertedIn(graph: Graph): Set<Node> {
  const users = graph.users();
  const [idle, asserted] = [new Set<Node>(), new Set<Node>()];
  const isRead = ({ target }: Node): boolean => /^aten\.(item|_local)/.test(target);
  for (const node of [...graph.nodes].reverse()) {
    const isSize = isRead(node) || /^(operator|math|torch)\./.test(node.target);
    const isUnread = isSize && [...users.get(node)!].every((one) => idle.has(one));
    if (isUnread || /^aten\.(_assert_sc|sym_con)/.test(node.target)) idle.add(node);
  }
  for (const node of graph.nodes) {
    if (idle.has(node) && (isRead(node) || node.inputs().some((one) => asserted.has(one)))) {
      asserted.add(node);
    }
  }
  return asserted;
}

/**
 * Maps each node to the nodes that no later node reads. A node that nobody reads is in its own
 * list.
 */
function lastReads(nodes: readonly Node[]): Map<Node, Node[]> {
  const reader = new Map<Node, Node>();
  for (const node of nodes) for (const input of node.inputs()) reader.set(input, node);
  const last = new Map<Node, Node[]>();
  for (const node of nodes) {
    if (node.kind !== "call_function") continue;
    const at = reader.get(node) ?? node;
    if (at.kind === "output") continue;
    last.set(at, [...(last.get(at) ?? []), node]);
  }
  return last;
}

/** Counts how many values hold each tensor that the program made. A tensor is disposed at zero. */
class Counts {
  private readonly counts = new Map<tf.Tensor, number>();
  private readonly foreign = new Set<tf.Tensor>();

  constructor(inputs: unknown) {
    for (const tensor of tensorsIn(inputs)) this.foreign.add(tensor);
  }

  add(value: unknown): void {
    for (const tensor of tensorsIn(value)) {
      if (!this.foreign.has(tensor)) this.counts.set(tensor, (this.counts.get(tensor) ?? 0) + 1);
    }
  }

  remove(value: unknown): void {
    for (const tensor of tensorsIn(value)) {
      const count = this.counts.get(tensor);
      if (count === undefined) continue;
      this.counts.set(tensor, count - 1);
      if (count === 1) {
        this.counts.delete(tensor);
        tensor.dispose();
      }
    }
  }
}

function tensorsIn(value: unknown): tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value as tf.Tensor];
  if (isComplex(value)) return [value.re, value.im];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

/** The JavaScript value of an argument that contains no node; literals are unwrapped. */
function plainValue(argument: Argument): unknown {
  if (argument instanceof Literal) return argument.value;
  if (argument === null || typeof argument !== "object") return argument;
  if (Array.isArray(argument)) return argument.map((one: Argument) => plainValue(one));
  const entries = Object.entries(argument as Record<string, Argument>);
  return Object.fromEntries(entries.map(([key, one]) => [key, plainValue(one)]));
}

type Metas = TensorMeta | readonly (TensorMeta | null)[] | null;

const metaOf = (node: Node): Metas => node.meta.value ?? null;

function outputMetas(node: Node): readonly (TensorMeta | null)[] {
  const meta = metaOf(node);
  return meta !== null && "dtype" in meta ? [meta] : (meta ?? [null]);
}

function inputMeta(argument: Argument): Metas {
  if (argument instanceof Node) return metaOf(argument);
  if (!Array.isArray(argument) || !argument.some((one) => one instanceof Node)) return null;
  return (argument as Argument[]).map((one) => {
    const meta = one instanceof Node ? metaOf(one) : null;
    return meta !== null && "dtype" in meta ? meta : null;
  });
}
