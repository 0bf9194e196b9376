/** The checks that PyTorch makes on the inputs of an exported program before it runs. */
import * as tf from "@tensorflow/tfjs-core";
import type { Argument, Node } from "../graph/index.js";
import { Literal } from "../graph/index.js";
import { evaluate, type Names } from "./python/evaluate.js";
import { type Expression, parseExpression } from "./python/parse.js";
import { quote, unparse } from "./python/print.js";

export interface Range {
  readonly min_val?: number | null;
  readonly max_val?: number | null;
}

/** An input: its path, and its placeholder. */
export interface Input {
  /** `x`, `d['k']` */
  readonly path: string;
  /** `*args[0]`, `**kwargs['mask']` */
  readonly place: string;
  readonly node: Node;
}

interface Guard {
  readonly text: string;
  readonly expression: Expression;
}

export class Guards {
  private readonly guards: Guard[];

  /**
   * @param ranges of the expressions of symbols.
   * @param code the guards that the tracer found, as Python code.
   */
  constructor(
    private readonly inputs: readonly Input[],
    ranges: Readonly<Record<string, Range>>,
    code: readonly string[],
  ) {
    const texts = [...shapeGuards(inputs, ranges), ...code];
    this.guards = texts.map((text) => {
      const expression = parseExpression(text);
      return { expression, text: this.shown(text) };
    });
  }

  /** The text of a guard as PyTorch's message has it: with the names of inputs. */
  private shown(text: string): string {
    let shown = text.replace(/L\['flat_args'\]\[(\d+)\]/g, (all, index: string) => {
      return this.inputs[Number(index)]?.path ?? all;
    });
    for (const { path } of this.inputs) shown = shown.replaceAll(source(path), path);
    return unparse(parseExpression(shown));
  }

  /** @throws Error with PyTorch's message. */
  check(leaves: readonly unknown[]): void {
    this.checkKinds(leaves);
    const names: Names = new Map([["L", this.locals(leaves)]]);
    for (const { expression, text } of this.guards) {
      let holds: unknown = true;
      try {
        holds = evaluate(expression, names);
      } catch (error) {
        // A guard that we cannot evaluate is skipped.
        if (!(error instanceof ReferenceError)) throw error;
      }
      if (!holds) throw new Error(`Guard failed: ${text}`);
    }
  }

  private checkKinds(leaves: readonly unknown[]): void {
    this.inputs.forEach(({ node, place }, i) => {
      const { value } = node.meta;
      if (value === undefined || !("dtype" in value)) return;
      const leaf = leaves[i];
      if (!(leaf instanceof tf.Tensor)) {
        const got = leaf === null ? "None" : typeof leaf;
        throw new TypeError(`Expected input at ${place} to be a tensor, but got ${got}`);
      }
      // Complex tensors have their parts in an additional dimension.
      const isPair = value.dtype.startsWith("complex") && leaf.dtype !== "complex64";
      if (leaf.rank !== value.shape.length + Number(isPair)) {
        throw new Error(
          `Unexpected number of dimensions in input at ${place}.shape ` +
            `(expected ${size(value.shape)}, got ${size((leaf as tf.Tensor).shape)})`,
        );
      }
    });
  }

  /** The values by the names in guards: `L['d']['k']`. */
  private locals(leaves: readonly unknown[]): Map<string, unknown> {
    const locals = new Map<string, unknown>([["flat_args", leaves]]);
    this.inputs.forEach(({ path }, i) => {
      const steps = [...path.matchAll(/^\w+|\['([^']*)'\]|\[(\d+)\]|\.(\w+)/g)].map(
        ([all, key, index, name]) => key ?? index ?? name ?? all,
      );
      const last = steps.pop()!;
      let at: Map<string, unknown> = locals;
      for (const step of steps) {
        if (!(at.get(step) instanceof Map)) at.set(step, new Map());
        at = at.get(step) as Map<string, unknown>;
      }
      at.set(last, leaves[i]);
    });
    return locals;
  }
}

const size = (shape: readonly (number | string)[]): string => `torch.Size([${shape.join(", ")}])`;

/** `d['k']` → `L['d']['k']` */
const source = (path: string): string => path.replace(/^\w+/, (name) => `L[${quote(name)}]`);

/** Guards for sizes that are fixed, in a range, or equal to another. */
function shapeGuards(inputs: readonly Input[], ranges: Readonly<Record<string, Range>>): string[] {
  const guards: string[] = [];
  const sources = new Map<string, string>();
  const symbolic = (symbol: string, at: string): void => {
    const known = sources.get(symbol);
    if (known !== undefined) {
      guards.push(`${at} == ${known}`);
      return;
    }
    sources.set(symbol, at);
    if (!Object.hasOwn(ranges, symbol)) return;
    const { min_val: min, max_val: max } = ranges[symbol]!;
    if (typeof min === "number" && min > 2) guards.push(`${at} >= ${min}`);
    if (typeof max === "number") guards.push(`${at} <= ${max}`);
  };
  for (const { node, path } of inputs) {
    const at = source(path);
    const { value, symbol, constant } = node.meta;
    if (constant !== undefined) guards.push(...constantGuard(at, constant));
    else if (symbol !== undefined) symbolic(symbol, at);
    else if (value !== undefined && "dtype" in value) {
      value.shape.forEach((dim, i) => {
        if (typeof dim === "number") guards.push(`${at}.size()[${i}] == ${dim}`);
        else symbolic(dim, `${at}.size()[${i}]`);
      });
    }
  }
  return guards;
}

function constantGuard(at: string, constant: Argument): string[] {
  if (typeof constant === "string") return [`${at} == ${quote(constant)}`];
  if (typeof constant === "boolean") return [`${at} == ${constant ? "True" : "False"}`];
  if (typeof constant === "number") return [`${at} == ${constant}`];
  if (!(constant instanceof Literal)) return [];
  return [Number.isNaN(constant.value) ? `math.isnan(${at})` : `${at} == ${constant.text}`];
}
