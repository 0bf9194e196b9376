import * as tf from "@tensorflow/tfjs-core";
import type { Node } from "../graph/index.js";
import type { Module } from "../module/index.js";
import { HOOKS } from "../module/call.js";
import type { Observer, Plan } from "./runtime/plan.js";

/** One call of a module: the consecutive nodes that it produced. */
interface ModuleCall {
  readonly module: Module;
  readonly begin: number;
  end: number;
  readonly inputs: readonly Node[];
  outputs: readonly Node[];
}

/**
 * Calls the hooks of the modules that a program was exported from. The file tells for each node
 * which modules were being called, so that a call is a run of consecutive nodes. The values that
 * these read from outside are the inputs of the call, and the values that others read are its
 * outputs (one, or a list).
 */
export class ModuleCalls implements Observer {
  private readonly calls: ModuleCall[];
  private readonly modules: readonly Module[];
  private args = new Map<ModuleCall, unknown[]>();

  constructor(
    root: Module,
    private readonly plan: Plan,
  ) {
    this.modules = root.modules().filter((module) => module !== root);
    this.calls = findCalls(root, plan);
  }

  hasHooks(): boolean {
    return this.modules.some((module) => {
      const hooks = module[HOOKS];
      return hooks !== undefined && hooks.before.length + hooks.after.length > 0;
    });
  }

  begin(): this {
    this.args = new Map();
    return this;
  }

  before(index: number, values: unknown[]): void {
    for (const call of this.calls) {
      if (call.begin !== index) continue;
      let args = call.inputs.map((node) => values[this.plan.slots.get(node)!]);
      for (const hook of [...(call.module[HOOKS]?.before ?? [])]) {
        const replaced = hook(call.module, args);
        if (replaced === undefined) continue;
        args = Array.isArray(replaced) ? (replaced as unknown[]) : [replaced];
        this.store(call.inputs, args, values);
      }
      this.args.set(call, args);
    }
  }

  after(index: number, values: unknown[]): void {
    // Inner calls end before outer ones.
    for (const call of this.calls.toReversed()) {
      if (call.end !== index) continue;
      for (const hook of [...(call.module[HOOKS]?.after ?? [])]) {
        const outputs = call.outputs.map((node) => values[this.plan.slots.get(node)!]);
        const output = outputs.length === 1 ? outputs[0] : outputs;
        const replaced = hook(call.module, this.args.get(call) ?? [], output);
        if (replaced === undefined) continue;
        const list = outputs.length === 1 ? [replaced] : (replaced as unknown[]);
        this.store(call.outputs, list, values);
      }
    }
  }

  private store(nodes: readonly Node[], list: readonly unknown[], values: unknown[]): void {
    nodes.forEach((node, i) => {
      if (list[i] instanceof tf.Tensor) values[this.plan.slots.get(node)!] = list[i];
    });
  }
}

/** In the order of their beginnings, outer ones first. */
function findCalls(root: Module, plan: Plan): ModuleCall[] {
  const calls: ModuleCall[] = [];
  const paths = new Map(root.namedModules().filter(([path]) => path !== ""));
  let open: { key: string; call: ModuleCall }[] = [];
  plan.instructions.forEach(({ node }, index) => {
    const stack = node.meta.moduleStack?.filter(({ path }) => paths.has(path));
    if (stack === undefined) return;
    const kept = open.findIndex(({ key }, i) => stack[i]?.key !== key);
    if (kept >= 0) open = open.slice(0, kept);
    for (const { path, key } of stack.slice(open.length)) {
      const call = { module: paths.get(path)!, begin: index, end: index, inputs: [], outputs: [] };
      calls.push(call);
      open.push({ key, call });
    }
    for (const { call } of open) call.end = index;
  });
  const users = readers(plan);
  return calls.map((call) => withEnds(call, plan, users));
}

/**
 * The last instruction that reads each node; the number of instructions if the program returns it.
 */
function readers(plan: Plan): Map<Node, number> {
  const last = new Map<Node, number>();
  plan.instructions.forEach(({ node }, index) => {
    for (const input of node.inputs()) last.set(input, index);
  });
  for (const node of plan.outputs) last.set(node, Infinity);
  return last;
}

function withEnds(call: ModuleCall, plan: Plan, last: Map<Node, number>): ModuleCall {
  const within = plan.instructions.slice(call.begin, call.end + 1).map(({ node }) => node);
  const made = new Set(within);
  const read = new Set(within.flatMap((node) => node.inputs()));
  const inputs = [...read].filter((node) => !made.has(node) && !plan.isWeight(node));
  const outputs = within.filter((node) => (last.get(node) ?? -1) > call.end);
  return { ...call, inputs, outputs };
}
