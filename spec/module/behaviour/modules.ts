import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../../lib/index.js";
import { Leaf, Pair, relu, parameter, names, numbers, error } from "./nets.js";

/** Calls, hooks, modes, what registers, and how modules print. */
export const MODULES: Record<string, () => unknown> = {
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

  a_module_used_twice_runs_its_hooks_twice() {
    const log: unknown[] = [];
    const layer = relu();
    layer.registerForwardHook((_, [x]) => void log.push(numbers(x as tf.Tensor)[0]));
    const net = new nn.Sequential(layer, new nn.Identity(), layer);
    net(tf.scalar(-1));
    return [log, names(net.namedModules()), net.modules().length, net];
  },
};
