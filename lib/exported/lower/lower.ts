/**
 * Makes a program functional: in-place ops and writes through views become ordinary values.
 *
 * Tensors that share memory belong to one storage, which has a current value. A view remembers the
 * ops that lead to it from the storage, and is computed again when it is read after a write. A
 * write to a view is carried back through those ops into the storage. PyTorch's functionalization
 * works in the same way: https://docs.pytorch.org/docs/stable/func.ux_limitations.html
 */
import type { Node } from "../../graph/index.js";
import {
  type Argument,
  Graph,
  type KeywordArguments,
  type Literal,
  mapNodes,
  type TensorMeta,
} from "../../graph/index.js";
import { inlineGraphs } from "./inline.js";
import { functionalTarget, isComparison, severalWritesOf, writesOf } from "./in-place.js";
import { statisticsOf } from "./statistics.js";
import { gatherVmaps } from "./vmap.js";
import { IN_PLACE_VIEWS, isView, packetOf } from "./views.js";

export interface Lowered {
  /** Returns two lists: the program's outputs, and the new values of the inputs in `written`. */
  readonly graph: Graph;
  /** The inputs that the program writes to, by the names of their placeholders. */
  readonly written: readonly string[];
  readonly subgraphs: ReadonlyMap<string, Lowered>;
}

/** @throws Error for programs that cannot be made functional. */
export function lower(program: Graph): Lowered {
  const lowering = new Lowering(gatherVmaps(inlineGraphs(program)));
  return lowering.run();
}

/** The properties of a node that a new node takes over. */
type Like = Pick<Node, "kind" | "name" | "meta" | "target">;

interface Step {
  /** The node that takes the view in the original program. */
  readonly view: Like;
  readonly args: readonly Argument[];
  readonly kwargs: KeywordArguments;
  /** The index among several outputs; null if there is one. */
  readonly output: number | null;
}

class Storage {
  version = 0;

  constructor(
    public current: Node,
    /** The placeholder's name, if it is one. */
    readonly input: string | null,
  ) {}
}

/**
 * A tensor of the program: its view of a storage, and its value for some version of the storage.
 */
interface Tensor {
  readonly storage: Storage;
  readonly steps: readonly Step[];
  node: Node;
  version: number;
}

const tensorOf = (value: Node, input: string | null): Tensor => ({
  storage: new Storage(value, input),
  ...{ steps: [], node: value, version: 0 },
});

/** A list of views, of which `getitem` takes one. */
interface Views {
  readonly of: Tensor;
  readonly view: Node;
  readonly args: readonly Argument[];
  readonly kwargs: KeywordArguments;
  readonly items: Map<number, Tensor>;
}

class Lowering {
  private readonly graph = new Graph();
  private readonly tensors = new Map<Node, Tensor>();
  private readonly lists = new Map<Node, Views>();
  /** The arguments that an op wrote its several results to. */
  private readonly results = new Map<Node, Tensor[]>();
  private readonly inputs: Storage[] = [];

  constructor(private readonly program: Graph) {}

  run(): Lowered {
    const subgraphs = new Map<string, Lowered>();
    for (const [name, inner] of this.program.subgraphs) {
      const lowered = lower(inner);
      if (lowered.written.length > 0) {
        throw new Error(`the graph '${name}' writes to what it is called with`);
      }
      subgraphs.set(name, lowered);
    }
    let outputs: Argument = [];
    for (const node of this.program.nodes) {
      if (node.kind === "output") outputs = node.args[0];
      else this.add(node);
    }
    const written = this.inputs.filter(({ version }) => version > 0);
    const result = this.renew(outputs) as Argument;
    this.graph.add("output", "output", [[result, written.map(({ current }) => current)]]);
    return { graph: this.graph, written: written.map(({ input }) => input!), subgraphs };
  }

  private add(node: Node): void {
    if (node.kind !== "call_function") {
      const copy = this.copy(node, node.target, node.args, node.kwargs);
      const tensor = this.own(node, copy, node.kind === "placeholder" ? node.name : null);
      if (node.kind === "placeholder") this.inputs.push(tensor.storage);
      return;
    }
    if (node.target === "operator.getitem" && this.getItem(node)) return;
    if (isView(node)) return this.view(node);
    const packet = packetOf(node.target);
    if (packet !== null && IN_PLACE_VIEWS.has(packet)) return this.view(node);
    if (this.hiddenUpdate(node)) return;
    if (this.effect(node)) return;
    if (this.resize(node)) return;
    if (this.writeSeveral(node)) return;
    const written = writesOf(node);
    if (written !== null) return this.write(node, written);
    const args = this.renew(node.args) as Argument[];
    const kwargs = this.renew(node.kwargs) as KeywordArguments;
    this.own(node, this.copy(node, node.target, args, kwargs));
  }

  private copy(
    { kind, name, meta }: Like,
    target: string,
    args: readonly Argument[],
    kwargs: KeywordArguments = {},
  ): Node {
    return this.graph.add(kind, target, args, kwargs, { name, meta });
  }

  /** A tensor with its own memory. */
  private own(node: Node, value: Node, input: string | null = null): Tensor {
    const tensor = tensorOf(value, input);
    this.tensors.set(node, tensor);
    return tensor;
  }

  private renew(argument: Argument): unknown {
    return mapNodes(argument, (node) => this.read(node));
  }

  private read(node: Node): Node {
    const views = this.lists.get(node);
    if (views !== undefined) return this.readList(views);
    return this.readTensor(this.tensors.get(node)!);
  }

  private readTensor(tensor: Tensor): Node {
    const { storage, steps } = tensor;
    if (tensor.version !== storage.version) {
      let value = storage.current;
      for (const step of steps) value = this.take(step, value);
      tensor.node = value;
      tensor.version = storage.version;
    }
    return tensor.node;
  }

  /** Takes a view of a value. */
  private take({ view, args, kwargs, output }: Step, of: Node): Node {
    const taken = this.copy(view, functionalTarget(view.target), [of, ...args], kwargs);
    return output === null ? taken : this.item(view, taken, output);
  }

  private readList({ of, view, args, kwargs }: Views): Node {
    return this.copy(view, view.target, [this.readTensor(of), ...args], kwargs);
  }

  private view(node: Node): void {
    const of = this.tensors.get(node.args[0] as Node);
    const args = (this.renew(node.args) as Argument[]).slice(1);
    const kwargs = this.renew(node.kwargs) as KeywordArguments;
    if (of === undefined) {
      this.own(node, this.copy(node, node.target, this.renew(node.args) as Argument[], kwargs));
      return;
    }
    if (Array.isArray(node.meta.value)) {
      this.lists.set(node, { of, view: node, args, kwargs, items: new Map() });
      return;
    }
    this.tensors.set(node, this.viewOf(of, { view: node, args, kwargs, output: null }));
  }

  private viewOf(of: Tensor, step: Step): Tensor {
    const node = this.take(step, this.readTensor(of));
    const { storage } = of;
    return { storage, steps: [...of.steps, step], node, version: storage.version };
  }

  /** Takes one of a list of views, or of results that were written; false if the node does not. */
  private getItem(node: Node): boolean {
    const written = this.results.get(node.args[0] as Node)?.[node.args[1] as number];
    if (written !== undefined) {
      this.tensors.set(node, written);
      return true;
    }
    if (this.broadcast(node)) return true;
    const views = this.lists.get(node.args[0] as Node);
    if (views === undefined) return false;
    const index = node.args[1] as number;
    let tensor = views.items.get(index);
    if (tensor === undefined) {
      const { of, view, args, kwargs } = views;
      tensor = this.viewOf(of, { view, args, kwargs, output: index });
      views.items.set(index, tensor);
    }
    this.tensors.set(node, tensor);
    return true;
  }

  /**
   * Takes one of several broadcast tensors, which is a view of that tensor alone; false if the node
   * does not.
   */
  private broadcast(node: Node): boolean {
    const { name, kind, meta } = node;
    const [list, index] = node.args as [Node, number];
    if (list.target !== "aten.broadcast_tensors.default") return false;
    const of = this.tensors.get((list.args[0] as Node[])[index]!);
    const shape = (meta.value as TensorMeta | undefined)?.shape;
    if (of === undefined || !shape?.every((size) => typeof size === "number")) return false;
    const view = { name, kind, meta, target: "aten.expand.default" };
    this.tensors.set(node, this.viewOf(of, { view, args: [[...shape]], kwargs: {}, output: null }));
    return true;
  }

  /** Handles an op that writes its result to an argument, which the node then stands for. */
  private write(node: Node, { to, out }: { to: Node; out: boolean }): void {
    const tensor = this.tensors.get(to);
    if (tensor === undefined) throw new Error(`${node.name} writes to what is no tensor`);
    const target = functionalTarget(node.target);
    const kwargs = this.renew(node.kwargs) as Record<string, Argument>;
    const args = this.renew(node.args) as Argument[];
    if (out) delete kwargs.out;
    const packet = packetOf(target)!;
    let value: Node;
    if (packet === "copy") value = this.copy(node, "sconce.copy", args.slice(0, 2));
    else {
      const isZero = packetOf(node.target) === "zero_";
      // The only op whose tensor is the second argument in its functional form.
      if (packetOf(node.target) === "polygamma_") args.reverse();
      value = this.copy(node, target, isZero ? [args[0], 0] : args, kwargs);
    }
    if (out || isComparison(packet)) {
      value = this.copy(node, "sconce.copy", [this.readTensor(tensor), value]);
    }
    this.assign(tensor, value);
    this.tensors.set(node, tensor);
  }

  /** Likewise for several results; false if the node is not such an op. */
  private writeSeveral(node: Node): boolean {
    const written = severalWritesOf(node);
    if (written === null) return false;
    const args = this.renew(node.args) as Argument[];
    const kwargs = this.renew(written.kwargs) as KeywordArguments;
    const all = this.copy(node, written.target, args, kwargs);
    const results = written.to.map((to, i) => {
      const tensor = this.tensors.get(to);
      if (tensor === undefined) throw new Error(`${node.name} writes to what is no tensor`);
      const item = this.item(node, all, i);
      this.assign(tensor, this.copy(node, "sconce.copy", [this.readTensor(tensor), item]));
      return tensor;
    });
    this.results.set(node, results);
    return true;
  }

  /** Resizes a tensor in its memory; not if other tensors share it. */
  private resize(node: Node): boolean {
    const packet = packetOf(node.target);
    if (packet !== "resize_" && packet !== "resize_as_") return false;
    const of = node.args[0] as Node;
    const tensor = this.tensors.get(of);
    const all = [...this.tensors.values()].filter(({ storage }) => storage === tensor?.storage);
    if (tensor === undefined || tensor.storage.input !== null || new Set(all).size > 1) {
      throw new Error(`${node.target} of an input or of a tensor with views is not supported`);
    }
    const args = this.renew(node.args.slice(0, 2)) as Argument[];
    this.tensors.set(of, this.own(node, this.copy(node, "sconce.resize", args)));
    return true;
  }

  /** Handles an op that a token keeps in order: passes on the token, and calls the op. */
  private effect(node: Node): boolean {
    if (node.target !== "higher_order.with_effects") return false;
    const [token, target, ...given] = node.args;
    const metas = Array.isArray(node.meta.value) ? node.meta.value : [];
    const results = metas.slice(1) as (TensorMeta | null)[];
    const args = this.renew(given) as Argument[];
    const kwargs = this.renew(node.kwargs) as KeywordArguments;
    const { moduleStack, module, moduleType, stackTrace } = node.meta;
    const meta = { moduleStack, module, moduleType, stackTrace, value: results };
    const call = this.graph.add("call_function", String((target as Literal).value), args, kwargs, {
      meta,
    });
    const values = results.length === 1 ? [call] : results.map((_, i) => this.item(node, call, i));
    const tensors = values.map((value) => tensorOf(value, null));
    this.results.set(node, [this.tensors.get(token as Node)!, ...tensors]);
    return true;
  }

  private item({ meta }: Like, list: Node, index: number): Node {
    return this.graph.add("call_function", "operator.getitem", [list, index], {}, { meta });
  }

  /** Gives a tensor, and so all tensors that share its memory, a new value. */
  private assign(tensor: Tensor, value: Node): void {
    const { storage, steps } = tensor;
    const bases = [storage.current];
    for (const step of steps.slice(0, -1)) bases.push(this.take(step, bases.at(-1)!));
    let next = value;
    for (let i = steps.length - 1; i >= 0; i -= 1) {
      const { view, args, kwargs, output } = steps[i]!;
      const target = functionalTarget(view.target);
      const scatter = [bases[i]!, next, target, args, kwargs, output];
      const { moduleStack, module, moduleType, stackTrace } = value.meta;
      const meta = { moduleStack, module, moduleType, stackTrace };
      next = this.graph.add("call_function", "sconce.scatter_view", scatter, {}, { meta });
    }
    storage.current = next;
    storage.version += 1;
    tensor.node = value;
    tensor.version = storage.version;
  }

  /**
   * Handles normalisations in training, which write to running statistics although their schema
   * does not say so.
   */
  private hiddenUpdate(node: Node): boolean {
    const update = statisticsOf(node);
    if (update === null) return false;
    const { target, given, mean, variance, output, first } = update;
    const all = this.copy(node, target, this.renew(given) as Argument[]);
    this.own(node, output === null ? all : this.item(node, all, output));
    this.assign(this.tensors.get(mean)!, this.item(node, all, first));
    this.assign(this.tensors.get(variance)!, this.item(node, all, first + 1));
    return true;
  }
}
