import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../../lib/index.js";
import { Leaf, Pair, Shared, Tied, linear, names, keys, children, numbers, error } from "./nets.js";

/** State: which keys there are, and what loading does. */
export const STATE: Record<string, () => unknown> = {
  order_of_keys() {
    const leaf = new Leaf();
    return [
      keys(leaf),
      [...leaf.stateDict({ prefix: "net." }).keys()],
      names(leaf.namedParameters()),
      names(leaf.namedParameters({ prefix: "net", recurse: false })),
      names(leaf.namedBuffers()),
      names(leaf.namedModules({ prefix: "net" })),
    ];
  },

  reassigned_property_keeps_its_place() {
    const pair = new Pair();
    pair.a = linear(2, 5);
    pair.b.weight = new nn.Parameter(tf.ones([1, 1]));
    return [keys(pair), String(pair)];
  },

  deleted_property_is_gone_and_returns_at_the_end() {
    const pair = new Pair() as Partial<Pair> & nn.Module;
    const a = pair.a!;
    delete pair.a;
    const without = keys(pair);
    pair.a = a;
    delete (a as Partial<nn.Linear>).bias;
    return [without, keys(pair)];
  },

  buffer_assigned_anew() {
    const leaf = new Leaf();
    leaf.first = new nn.Buffer(tf.ones([4]));
    leaf.scratch = new nn.Buffer(tf.ones([4]), { persistent: false });
    return [keys(leaf), leaf.buffers().map((buffer) => buffer.shape)];
  },

  absent_members() {
    const net = new Pair();
    net.registerModule("gone", null);
    net.registerParameter("bias", null);
    net.registerBuffer("mask", null);
    return [String(net), keys(net), children(net), names(net.namedModules())];
  },

  shared_modules() {
    const net = new Shared();
    return [
      keys(net),
      names(net.namedModules()),
      names(net.namedModules({ removeDuplicate: false })),
      children(net),
      names(net.namedParameters()),
      names(net.namedParameters({ removeDuplicate: false })),
      names(net.namedBuffers()),
      net.parameters().length,
      String(net),
    ];
  },

  tied_parameters() {
    const net = new Tied();
    const state = [...net.stateDict()].map(
      ([key, { shape }], i) => [key, tf.fill(shape, i)] as const,
    );
    net.loadStateDict(new Map(state));
    const [embed, head] = [numbers(net.embed.weight)[0], numbers(net.head.weight)[0]];
    return [keys(net), names(net.namedParameters()), embed, head];
  },

  load_errors() {
    const state = {
      "a.weight": tf.zeros([3, 3]),
      "a.bias": tf.zeros([1]),
      "c.weight": tf.zeros([1]),
      d: tf.zeros([1]),
    };
    const wrong = { "0.a.weight": tf.zeros([6]) };
    return [
      error(() => new Pair().loadStateDict(state)),
      error(() => new Pair().loadStateDict({ "a.weight": tf.zeros([3, 2]) })),
      error(() => new Pair().loadStateDict({})),
      error(() => new nn.Sequential(new Pair()).loadStateDict(wrong, { strict: false })),
    ];
  },

  unexpected_keys_in_order_of_modules() {
    const keys = ["0.b.x", "0.y", "z", "1.c", "0.a.q", "5.w", "0.a.weight.k"];
    const state = new Map(keys.map((key) => [key, tf.zeros([1])]));
    const net = new nn.Sequential(new Pair(), new nn.ReLU());
    return [
      error(() => net.loadStateDict(state)),
      net.loadStateDict(state, { strict: false }).unexpectedKeys,
    ];
  },

  load_not_strict() {
    const net = new Pair();
    const state = { "a.bias": tf.ones([3]), x: tf.zeros([1]) };
    const { missingKeys, unexpectedKeys } = net.loadStateDict(state, { strict: false });
    return [missingKeys, unexpectedKeys, numbers(net.a.bias!)];
  },

  load_fails_and_changes_what_fits_or_nothing() {
    const net = new Pair();
    const before = numbers(net.a.bias!);
    const state = { "a.bias": tf.ones([3]), "a.weight": tf.ones([1]) };
    const message = error(() => net.loadStateDict(state));
    expect(numbers(net.a.bias!)).to.deep.equal(before);
    return message;
  },

  load_old_scalar() {
    const leaf = new Leaf();
    const state = new Map<string, tf.Tensor>(leaf.stateDict()).set("alpha", tf.tensor([7]));
    leaf.loadStateDict(state);
    return [numbers(leaf.alpha)[0], leaf.alpha.shape];
  },

  load_without_num_batches_tracked() {
    const norm = new nn.BatchNorm1d(2);
    const state = new Map(norm.stateDict());
    state.delete("num_batches_tracked");
    const { missingKeys } = norm.loadStateDict(state);
    return [missingKeys, numbers(norm.num_batches_tracked!)[0]];
  },

  state_dict_is_live() {
    const net = new Pair();
    const state = net.stateDict();
    net.loadStateDict(new Map([...state].map(([key, { shape }]) => [key, tf.ones(shape)])));
    return numbers(state.get("a.bias")!);
  },
};
