import type * as tf from "@tensorflow/tfjs-core";

/**
 * Names for variables that no state_dict key leads to: parameters of layers in a plain list or of a
 * model that a plain function calls, and `tf.variable`s. A graph reads them by that name, so that
 * their new values are noticed.
 */
const names = new WeakMap<tf.Variable, string>();
const variables = new Map<string, WeakRef<tf.Variable>>();
const gone = new FinalizationRegistry((name: string) => variables.delete(name));
let count = 0;

export function nameOfVariable(variable: tf.Variable): string {
  let name = names.get(variable);
  if (name === undefined) {
    name = `(variable ${count++})`;
    names.set(variable, name);
    variables.set(name, new WeakRef(variable));
    gone.register(variable, name);
  }
  return name;
}

export const variableOf = (name: string): tf.Variable | undefined => variables.get(name)?.deref();
