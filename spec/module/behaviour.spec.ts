import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { readJson } from "../support/files.js";

/** What real PyTorch did with the same modules: spec/oracle/module_behaviour.py, case by case. */
const PYTORCH = await readJson<Record<string, unknown>>("goldens/module-behaviour.json");

class Leaf extends nn.Module {
  first = new nn.Buffer(tf.zeros([2]));
  late = new nn.Linear(1, 1);
  weight = new nn.Parameter(tf.zeros([3]));
  scratch = new nn.Buffer(tf.zeros([1]), { persistent: false });
  alpha = new nn.Parameter(tf.zeros([]));

  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

class Pair extends nn.Module {
  a = new nn.Linear(2, 3);
  b = new nn.Linear(3, 2, { bias: false });

  override forward(x: tf.Tensor): tf.Tensor {
    return this.b(this.a(x));
  }
}

class Shared extends nn.Module {
  // Bundlers rename one of two classes of a name.
  static override readonly name = "Shared";
  one = new nn.Linear(2, 2);
  two = this.one;
  inner = new nn.Sequential(this.one, new nn.BatchNorm1d(2));
}

class Tied extends nn.Module {
  embed = new nn.Linear(2, 4, { bias: false });
  head = new nn.Linear(2, 4);

  constructor() {
    super();
    this.head.weight = this.embed.weight;
  }
}

const linear = (i: number, o: number): nn.Linear => new nn.Linear(i, o);
const relu = (): nn.ReLU => new nn.ReLU();
const parameter = (shape: number[]): nn.Parameter => new nn.Parameter(tf.zeros(shape));
const names = (pairs: readonly (readonly [string, unknown])[]): string[] =>
  pairs.map(([name]) => name);
const keys = (module: nn.Module): string[] => [...module.stateDict().keys()];
const children = (module: nn.Module): string[] => names(module.namedChildren());
const numbers = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

function error(run: () => unknown): string | null {
  try {
    run();
  } catch (raised) {
    // The line with the place is ours.
    return (raised as Error).message.replace(/\n {2}in [^]*$/, "");
  }
  return null;
}

const CASES: Record<string, () => unknown> = {
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

  hooks_run_in_order() {
    const log: string[] = [];
    const say = (text: string) => (): void => void log.push(text);
    const net = new nn.Sequential(new nn.Identity());
    net.registerForwardHook(say("after 1"));
    net.registerForwardHook(say("after 0"), { prepend: true });
    const handle = net.registerForwardHook(say("never"));
    net.registerForwardPreHook(say("before 1"));
    net.registerForwardPreHook(say("before 0"), { prepend: true });
    net[0]!.registerForwardPreHook(say("child before"));
    net[0]!.registerForwardHook(say("child after"));
    handle.remove();
    handle.remove();
    net(tf.ones([1]));
    return log;
  },

  hooks_replace() {
    const net = new nn.Identity();
    net.registerForwardPreHook((_, [x]) => [tf.mul(x as tf.Tensor, 2)]);
    net.registerForwardPreHook((_, [x]) => tf.add(x as tf.Tensor, 1));
    net.registerForwardHook((_, [x], y) => tf.add(tf.mul(y as tf.Tensor, 10), x as tf.Tensor));
    return numbers(net(tf.ones([1])));
  },

  apply_order() {
    const log: string[] = [];
    const net = new nn.Sequential(new Pair(), new nn.Sequential(relu()));
    net.apply((module) => void log.push(module.constructor.name));
    return log;
  },

  training_mode() {
    const net = new nn.Sequential(new Pair(), relu());
    const modes = (): boolean[] => net.modules().map(({ training }) => training);
    net.train().eval();
    const off = modes();
    net[0]!.train();
    const part = modes();
    net.train();
    return [off, part, modes(), error(() => net.train("yes" as unknown as boolean))];
  },

  requires_grad() {
    const net = new Pair();
    const flags = (): boolean[] => net.parameters().map(({ requiresGrad }) => requiresGrad);
    net.a.requiresGrad_(false);
    const some = flags();
    net.requiresGrad_();
    return [some, flags()];
  },

  lookups() {
    const net = new nn.Sequential(new Leaf());
    return [
      net.getSubmodule("").constructor.name,
      net.getSubmodule("0.late").constructor.name,
      error(() => net.getSubmodule("0.nothing.x")),
      error(() => net.getSubmodule("0.weight")),
      net.getParameter("0.weight").shape,
      error(() => net.getParameter("0.first")),
      error(() => net.getParameter("0.nothing")),
      net.getBuffer("0.first").shape,
      error(() => net.getBuffer("0.weight")),
      error(() => net.getBuffer("0.nothing")),
      net[0]!.getParameter(".weight").shape,
      net[0]!.getBuffer(".first").shape,
    ];
  },

  register_errors() {
    const net = new Pair();
    return [
      error(() => net.registerParameter("a", parameter([1]))),
      error(() => net.registerParameter("x.y", parameter([1]))),
      error(() => net.registerParameter("", parameter([1]))),
      error(() => net.registerBuffer("a", tf.zeros([1]))),
      error(() => net.registerBuffer("x.y", tf.zeros([1]))),
      error(() => net.registerBuffer("", tf.zeros([1]))),
      error(() => net.registerModule("training", relu())),
      error(() => net.registerModule("x.y", relu())),
      error(() => net.registerModule("", relu())),
    ];
  },

  missing_forward() {
    class Plain extends nn.Module {}
    return [
      error(() => new Plain()(1) as unknown),
      error(() => new nn.ModuleList()(1) as unknown),
      error(() => new nn.ModuleDict()(1) as unknown),
    ];
  },

  reprs() {
    class Told extends nn.Module {
      constructor(
        readonly text: string,
        child: boolean,
      ) {
        super();
        if (child) this.registerModule("child", relu());
      }

      override extraRepr(): string {
        return this.text;
      }
    }
    return [
      new nn.Sequential(),
      new Told("", false),
      new Told("one", false),
      new Told("one\ntwo", false),
      new Told("one", true),
      new Told("one\ntwo", true),
      new nn.Sequential(new Told("one\ntwo", true), new Pair()),
    ].map(String);
  },

  sequential() {
    const net = new nn.Sequential(linear(1, 2), relu(), linear(2, 3));
    const tail = net.slice(1);
    const out: unknown[] = [net, net.length, net.at(-1), tail, keys(tail)];
    out[0] = String(net);
    net.append(new nn.Tanh());
    net.insert(1, new nn.Sigmoid());
    out.push(String(net));
    net.extend([relu(), new nn.Tanh()]);
    out.push(net.pop(0), children(net), keys(net));
    net.pop(1);
    out.push(children(net));
    net[0] = new nn.Identity();
    out.push(
      String(net),
      error(() => net.at(9)),
      error(() => net.at(-9)),
      error(() => net.insert(40, relu())),
    );
    return out;
  },

  sequential_named() {
    const net = new nn.Sequential([
      ["conv", linear(1, 1)],
      ["act", relu()],
      ["10", new nn.Tanh()],
    ]) as nn.Sequential & { conv: nn.Linear };
    const out = [String(net), keys(net), net.at(2), net.conv];
    net.append(new nn.Sigmoid());
    return [...out, net];
  },

  module_list() {
    const net = new nn.ModuleList([linear(1, 2), linear(1, 2), relu(), linear(1, 2)]);
    const out = [String(net), net.length, net.at(-1), net.slice(1, 3), keys(net.slice(1))];
    net.insert(0, new nn.Tanh());
    net.append(relu());
    net.extend([new nn.Tanh()]);
    out.push(String(net), children(net), net.pop(2), children(net));
    net.pop(0);
    return [...out, net, error(() => net.at(9))];
  },

  module_dict() {
    const net = new nn.ModuleDict({ b: linear(1, 1), a: relu() });
    net.set("10", new nn.Tanh());
    net.set("2", new nn.Sigmoid());
    net.update({ b: linear(2, 2), c: relu() });
    const out = [String(net), [...net], keys(net), net.size, net.has("a"), net.has("z")];
    out.push(String(net.pop("a")), net.keys());
    net.update([
      ["x", new nn.Tanh()],
      ["y", new nn.Tanh()],
    ]);
    out.push(net.keys(), net.values().map(String));
    net.clear();
    return [...out, net, net.size];
  },

  parameter_list() {
    const net = new nn.ParameterList([parameter([2, 3]), tf.zeros([4])]);
    net.append(parameter([]));
    net.extend([tf.zeros([1])]);
    const out = [String(net), net.length, keys(net), net.at(-1).shape, net.slice(1, 3).length];
    const holder = new nn.Sequential(net);
    return [...out, holder, keys(holder), error(() => net.at(9))];
  },

  parameter_dict() {
    const net = new nn.ParameterDict({ b: parameter([2, 3]), a: tf.zeros([4]) });
    net.set("10", parameter([]));
    net.set("2", parameter([1]));
    const out: unknown[] = [
      String(net),
      net.keys(),
      keys(net),
      net.size,
      net.has("a"),
      net.has("z"),
    ];
    out.push(net.pop("a").shape, net.keys());
    net.update({ c: tf.zeros([1]), b: tf.zeros([5]) });
    out.push(net.keys(), net.get("b").shape, String(new nn.Sequential(net)));
    net.clear();
    return [...out, net, net.size];
  },

  a_module_used_twice_runs_its_hooks_twice() {
    const log: unknown[] = [];
    const layer = relu();
    layer.registerForwardHook((_, [x]) => void log.push(numbers(x as tf.Tensor)[0]));
    const net = new nn.Sequential(layer, new nn.Identity(), layer);
    net(tf.scalar(-1));
    return [log, names(net.namedModules()), net.modules().length, net];
  },

  state_dict_is_live() {
    const net = new Pair();
    const state = net.stateDict();
    net.loadStateDict(new Map([...state].map(([key, { shape }]) => [key, tf.ones(shape)])));
    return numbers(state.get("a.bias")!);
  },
};

/** Plain JSON: modules become their repr, and -0 becomes 0. */
function toJson(value: unknown): unknown {
  if (value instanceof nn.Module) return String(value);
  if (Array.isArray(value)) return value.map(toJson);
  return Object.is(value, -0) ? 0 : value;
}

onEveryBackend("Modules behave as PyTorch's", () => {
  it("in every case that PyTorch was asked", () => {
    expect(Object.keys(CASES)).to.deep.equal(Object.keys(PYTORCH));
  });

  for (const [name, run] of Object.entries(CASES)) {
    it(name.replaceAll("_", " "), () => {
      tf.engine().startScope();
      try {
        expect(toJson(run())).to.deep.equal(PYTORCH[name]);
      } finally {
        tf.engine().endScope();
      }
    });
  }
});
