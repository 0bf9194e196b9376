/** The modules that a program was exported from, as far as the file remembers them. */
import * as tf from "@tensorflow/tfjs-core";
import type { Entry } from "../checkpoint/entry.js";
import type { Graph } from "../graph/index.js";
import type { Buffer, Parameter } from "../module/index.js";
import { Module } from "../module/index.js";

/**
 * A module of an exported program. It has the name, the weights and the children that it had, and
 * its hooks are called; it cannot be called by itself, since only the whole was exported.
 */
export class ExportedModule extends Module {
  static override readonly name: string = "Module";

  override forward(..._inputs: unknown[]): never {
    throw new Error(
      `${this.constructor.name} is part of an exported program, which can only be called as a whole`,
    );
  }
}

/** The class of exported modules of one PyTorch class, for its name. */
function classNamed(
  name: string,
  classes: Map<string, typeof ExportedModule>,
): typeof ExportedModule {
  let found = classes.get(name);
  if (found === undefined) {
    found = class extends ExportedModule {
      static override readonly name = name;
    };
    classes.set(name, found);
  }
  return found;
}

/** The last name of each module's class, by the module's path. */
function classNames(graph: Graph): Map<string, string> {
  const names = new Map<string, string>();
  for (const inner of graph.subgraphs.values()) {
    for (const [path, name] of classNames(inner)) names.set(path, name);
  }
  for (const { meta } of graph.nodes) {
    for (const { path, type } of meta.moduleStack ?? []) names.set(path, type.split(".").at(-1)!);
  }
  return names;
}

/** Puts a member in place, whatever its name: it may be one that modules have methods by. */
export function setMember(module: Module, name: string, value: unknown): void {
  Object.defineProperty(module, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

export const getMember = (module: Module, name: string): unknown =>
  Object.hasOwn(module, name) ? (module as unknown as Record<string, unknown>)[name] : undefined;

/** The module at a path below `root`, made with those on the way to it. */
export class ModuleTree {
  private readonly classes = new Map<string, typeof ExportedModule>();
  private readonly names: ReadonlyMap<string, string>;

  constructor(
    private readonly root: Module,
    graph: Graph,
  ) {
    this.names = classNames(graph);
  }

  add(path: string): Module {
    let at = this.root;
    let so = "";
    for (const name of path === "" ? [] : path.split(".")) {
      so = so === "" ? name : `${so}.${name}`;
      let next = getMember(at, name) as Module | undefined;
      if (!(next instanceof Module)) {
        const Class = classNamed(this.names.get(so) ?? "Module", this.classes);
        next = new Class();
        setMember(at, name, next);
      }
      at = next;
    }
    return at;
  }

  /** Puts a parameter or buffer under its key. */
  set(key: string, value: Parameter | Buffer | tf.Tensor): void {
    const [owner, name] = splitKey(key);
    setMember(this.add(owner), name, value);
  }
}

export function splitKey(key: string): [owner: string, name: string] {
  const at = key.lastIndexOf(".");
  return [key.slice(0, Math.max(at, 0)), key.slice(at + 1)];
}

/**
 * An entry as a tensor: integers are int32, all else that is real float32. A complex one has the real
 * and the imaginary parts in a last dimension of 2: tfjs' complex64 is not there on wasm.
 */
export function toTensor(entry: Entry): tf.Tensor {
  const shape = [...entry.shape];
  const { dtype } = entry;
  if (isComplexDtype(dtype)) {
    return tf.tensor(Float32Array.from(entry.data as ArrayLike<number>), [...shape, 2], "float32");
  }
  if (dtype === "bool") return tf.tensor(entry.data as Uint8Array, shape, "bool");
  if (/^u?int/.test(dtype)) return tf.tensor(entry.toInt32({ clamp: true }), shape, "int32");
  return tf.tensor(entry.toFloat32(), shape, "float32");
}

const isComplexDtype = (dtype: string): boolean => /^complex(64|128)$/.test(dtype);
