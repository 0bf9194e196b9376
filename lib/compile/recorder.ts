import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";
import { type Argument, Graph, Node, type NodeMeta, type TensorMeta } from "../graph/index.js";
import type { Module } from "../module/index.js";
import { State } from "../module/parameter.js";
import { join, ownTensors, walk } from "../module/walk.js";
import { isPlain, isPrimitive, isTensor, TraceError } from "./structure.js";
import { nameOfVariable } from "./variables.js";

export const RANDOM =
  "forward draws random numbers: a trace would freeze those of the example. Draw them outside " +
  "and give them to forward, or use the dropouts of functional";

/** One tensor of a list that an op returned; its `getitem` node is made when something reads it. */
interface Item {
  of: Node;
  index: number;
}

const metaOf = ({ shape, dtype }: tf.Tensor): TensorMeta & { shape: number[] } => ({
  shape,
  dtype,
});

function metaOfResult(result: unknown): NodeMeta["value"] {
  if (isTensor(result)) return metaOf(result);
  if (!Array.isArray(result)) return undefined;
  return result.map((one) => (isTensor(one) ? metaOf(one) : null));
}

/** Records what happens to tensors as nodes of a graph. */
export class Recorder {
  readonly graph = new Graph();
  private readonly known = new WeakMap<tf.Tensor, Node | Item>();
  /** The data of tensors that depend on an input or a parameter: reading them would freeze them. */
  private readonly alive = new WeakSet<object>();
  private readonly aliveNodes = new Set<Node | Item>();
  private readonly keys = new Map<tf.Tensor, string>();
  /** The path of each module of the model; `null` for modules of others that are called as well. */
  private readonly paths = new Map<Module, string | null>();
  private readonly calls: Module[] = [];
  private constants = 0;
  /**
   * Why there is no graph. Kept because `forward` may catch the error and go on, as it would not in
   * a real call.
   */
  refused: TraceError | null = null;
  /** Tensors with this id or a higher one were made during the call. */
  private readonly firstId = (tf.engine() as unknown as { nextTensorId(): number }).nextTensorId();

  constructor(
    root: Module | null,
    private readonly readSync: (dataId: object) => tf.TypedArray,
  ) {
    if (root) this.look(root, true);
  }

  enter(module: Module): void {
    this.look(module, false);
    this.calls.push(module);
  }

  /**
   * Registers a module and those in it, except known ones: another module may hold parts of the
   * model.
   */
  private look(root: Module, isModel: boolean): void {
    if (this.paths.has(root)) return;
    for (const [path, module] of walk(root)) {
      if (this.paths.has(module)) continue;
      this.paths.set(module, isModel ? path : null);
      for (const [name, state] of ownTensors(module)) {
        if (isModel && !this.keys.has(state)) this.keys.set(state, join(path, name));
        this.enliven(state);
      }
    }
  }

  leave(): void {
    this.calls.pop();
  }

  refuse(message: string): never {
    throw (this.refused = new TraceError(message));
  }

  /** Whether a tensor was given to the call, or made by one of its ops. */
  knows(tensor: tf.Tensor): boolean {
    return this.known.has(tensor);
  }

  /** Whether a tensor was made during the call, so that nothing else owns it. */
  isMade({ id }: tf.Tensor): boolean {
    return id >= this.firstId;
  }

  isAlive(dataId: object): boolean {
    return this.alive.has(dataId);
  }

  /** Whether an input of a kernel is alive; optional inputs may be absent. */
  areAlive(inputs: Record<string, tf.Tensor | undefined>): boolean {
    return Object.values(inputs).some((input) => input && this.alive.has(input.dataId));
  }

  input(tensor: tf.Tensor): Node {
    const node = this.graph.add(
      "placeholder",
      "input",
      [],
      {},
      { meta: { value: metaOf(tensor) } },
    );
    node.target = node.name;
    this.note(tensor, node, true);
    return node;
  }

  /** Records an op call and its result. */
  call(target: string, args: readonly unknown[], result: unknown): void {
    const nodes = args.map((arg) => this.argument(arg, target));
    const meta: NodeMeta = { value: metaOfResult(result), ...this.place() };
    const name = target.replace(/^tfjs\./, "").replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase(); // prettier-ignore
    const node = this.graph.add("call_function", target, nodes, {}, { name, meta });
    const isAlive = node.inputs().some((input) => this.aliveNodes.has(input));
    if (isAlive) this.aliveNodes.add(node);
    if (isTensor(result)) this.note(result, node, isAlive);
    else if (Array.isArray(result)) {
      result.forEach((one: unknown, index) => {
        if (isTensor(one)) this.note(one, { of: node, index }, isAlive);
      });
    } else this.refuse(`${target} gave ${describe(result)}: only tensors can be traced`);
  }

  output(result: unknown): void {
    this.graph.add("output", "output", [this.argument(result, "the output")]);
  }

  private note(tensor: tf.Tensor, what: Node | Item, isAlive: boolean): void {
    this.known.set(tensor, what);
    if (!isAlive) return;
    this.alive.add(tensor.dataId);
    this.aliveNodes.add(what);
  }

  /** Forbids reading the values of a parameter, a buffer, or a made-up result. */
  enliven(tensor: tf.Tensor): tf.Tensor {
    if (!(tensor instanceof State && tensor.isMeta)) this.alive.add(tensor.dataId);
    return tensor;
  }

  private place(): NodeMeta {
    const of = this.calls.findLast((one) => this.paths.get(one) !== null);
    return of ? { module: this.paths.get(of)!, moduleType: of.constructor.name } : {};
  }

  private argument(value: unknown, where: string): Argument {
    if (isPrimitive(value)) return value;
    if (isTensor(value)) return this.nodeOf(value);
    if (Array.isArray(value)) return value.map((one) => this.argument(one, where));
    if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
    if (isPlain(value)) {
      const entries = Object.entries(value);
      return Object.fromEntries(entries.map(([name, one]) => [name, this.argument(one, where)]));
    }
    return this.refuse(`${where}: ${describe(value)} cannot stand in a graph`);
  }

  private nodeOf(tensor: tf.Tensor): Node {
    const known = this.known.get(tensor);
    if (known instanceof Node) return known;
    if (known !== undefined) return this.item(tensor, known);
    return this.attribute(tensor);
  }

  private item(tensor: tf.Tensor, { of, index }: Item): Node {
    const meta: NodeMeta = { ...of.meta, value: metaOf(tensor) };
    const node = this.graph.add("call_function", "getitem", [of, index], {}, { meta });
    this.note(tensor, node, this.aliveNodes.has(of));
    return node;
  }

  /**
   * A parameter or buffer is read by its state_dict key, a variable of no module by a name of ours;
   * any other tensor becomes a constant of the graph.
   */
  private attribute(tensor: tf.Tensor): Node {
    const isVariable = tensor instanceof tf.Variable;
    if (isVariable && this.isMade(tensor)) {
      this.refuse("forward makes a variable of its own: a plan would not make another");
    }
    const key =
      this.keys.get(tensor) ?? (isVariable ? nameOfVariable(tensor as tf.Variable) : undefined);
    const target = key ?? this.nameOfConstant();
    const meta = { value: metaOf(tensor) };
    const node = this.graph.add("get_attr", target, [], {}, { meta });
    if (key === undefined) {
      this.graph.constants.set(target, {
        ...meta.value,
        values: this.readSync(tensor.dataId).slice(),
      });
    }
    this.note(tensor, node, isVariable);
    return node;
  }

  /** A name as torch.fx gives it, unless the model uses that name itself. */
  private nameOfConstant(): string {
    const name = `_tensor_constant${this.constants++}`;
    return [...this.keys.values()].includes(name) ? this.nameOfConstant() : name;
  }
}
