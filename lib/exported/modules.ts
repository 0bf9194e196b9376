/** The modules that a program was exported from, as far as the file tells. */
import * as tf from "@tensorflow/tfjs-core";
import type { Entry } from "../checkpoint/entry.js";
import type { Graph } from "../graph/index.js";
import type { Buffer, Parameter } from "../module/index.js";
import { Module } from "../module/index.js";

/**
 * A module of an exported program. It has the name, weights and children of the original, and its
 * hooks are called. It cannot be called by itself, because only the whole model was exported.
 */
export class ExportedModule extends Module {
  static override readonly name: string = "Module";

  override forward(..._inputs: unknown[]): never {
    throw new Error(
      `${this.constructor.name} is part of an exported program, which can only be called as a whole`,
    );
  }
}

/** A class of exported modules with the name of the PyTorch class. */
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

/** The class names of modules, without their packages, by path. */
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

/** Sets a member with any name, even one that is also the name of a method. */
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

/** The modules below `root` by path, made when they are first needed. */
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

  /** Sets a parameter or buffer by its key. */
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
 * An entry as a tensor: integers become int32, other real types float32. Complex ones get a last
 * dimension of 2 for the real and imaginary parts, because tfjs' complex64 is missing on wasm.
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
