import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../../lib/index.js";
import { linear, relu, parameter, keys, children, error } from "./nets.js";

/** Lists and dictionaries of modules and parameters. */
export const CONTAINERS: Record<string, () => unknown> = {
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
    const net = new nn.ModuleList<nn.Module>([linear(1, 2), linear(1, 2), relu(), linear(1, 2)]);
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
};
