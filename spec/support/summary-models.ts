import * as tf from "@tensorflow/tfjs-core";
import * as nn from "../../lib/index.js";

// The models of spec/oracle/summary.py. They say their names: other specs have a Block too, and a
// bundler would rename this one.

const call = (module: nn.Module, x: tf.Tensor): tf.Tensor => module(x) as tf.Tensor;

export class Shared extends nn.Module {
  static override readonly name = "Shared";
  fc = new nn.Linear(4, 4);
  scale = new nn.Parameter(tf.ones([4]));
  act = new nn.Sigmoid();

  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(this.act(this.fc(this.fc(x))), this.scale);
  }
}

export class Interleaved extends nn.Module {
  static override readonly name = "Interleaved";
  layers = new nn.ModuleList([new nn.Linear(2, 3), new nn.Linear(3, 4)]);
  scale = new nn.Parameter(tf.ones([1]));
  act = new nn.ReLU();

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.act(call(this.layers.at(0), x));
    return tf.mul(call(this.layers.at(1), y), this.scale);
  }
}

export class TwoLists extends nn.Module {
  static override readonly name = "TwoLists";
  linears = new nn.ModuleList([new nn.Linear(3, 3), new nn.Linear(3, 3)]);
  norms = new nn.ModuleDict({ a: new nn.LayerNorm([3]), b: new nn.LayerNorm([3]) });

  override forward(x: tf.Tensor): tf.Tensor {
    return this.norms.values().reduce((y, norm, i) => call(norm, call(this.linears.at(i), y)), x);
  }
}

class Weighted extends nn.ModuleList {
  static override readonly name: string = "Weighted";
  scale = new nn.Parameter(tf.ones([7]));
}

export class Reentered extends nn.Module {
  static override readonly name = "Reentered";
  layers = new Weighted([
    new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU()),
    new nn.Linear(2, 2),
  ]);
  act = new nn.ReLU();
  unused = new nn.Linear(5, 5);

  override forward(x: tf.Tensor): tf.Tensor {
    const y = call(this.layers.at(1), this.act(call(this.layers.at(0), x)));
    return call(this.layers.at(0), this.act(y));
  }
}

class Block extends nn.Module {
  static override readonly name = "Block";
  conv: nn.Conv2d;
  norm: nn.BatchNorm2d;
  act = new nn.ReLU();

  constructor(channels: number, out: number) {
    super();
    this.conv = new nn.Conv2d(channels, out, 3, { padding: 1 });
    this.norm = new nn.BatchNorm2d(out);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.act(this.norm(this.conv(x)));
  }
}

const up = (channels: number, out: number): nn.ModuleDict =>
  new nn.ModuleDict({
    conv: new nn.ConvTranspose2d(channels, channels, 2, { stride: 2 }),
    block: new Block(2 * channels, out),
  });

export class UNet extends nn.Module {
  static override readonly name = "UNet";
  down = new nn.ModuleList([new Block(1, 4), new Block(4, 8)]);
  pool = new nn.MaxPool2d(2);
  middle = new Block(8, 8);
  up = new nn.ModuleList([up(8, 4), up(4, 4)]);
  head = new nn.Conv2d(4, 2, 1);

  override forward(x: tf.Tensor): tf.Tensor {
    const skips: tf.Tensor[] = [];
    for (const block of this.down) {
      skips.push(call(block, x));
      x = this.pool(skips.at(-1)!);
    }
    x = this.middle(x);
    for (const stage of this.up as Iterable<nn.Module> as Iterable<nn.ModuleDict>) {
      const joined = tf.concat([call(stage.get("conv"), x), skips.pop()!], 1);
      x = call(stage.get("block"), joined);
    }
    return this.head(x);
  }
}

/** Two blocks that share a layer and an activation, which torchinfo 1.8 puts into the last block. */
export class SharedAcross extends nn.Module {
  static override readonly name = "SharedAcross";
  first: nn.Sequential;
  second: nn.Sequential;

  constructor() {
    super();
    const [linear, act] = [new nn.Linear(4, 4), new nn.ReLU()];
    this.first = new nn.Sequential(linear, act);
    this.second = new nn.Sequential(new nn.Linear(4, 4), act, linear);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.second(this.first(x));
  }
}

/** A child is called before its parent is, and after. */
export class Aside extends nn.Module {
  static override readonly name = "Aside";
  inner = new nn.Sequential(new nn.Linear(4, 4), new nn.ReLU());
  act = new nn.Tanh();

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.act(call(this.inner.at(0), x));
    return call(this.inner.at(0), this.act(this.inner(y)));
  }
}

/** An embedding and an output layer with one weight. */
export class Tied extends nn.Module {
  static override readonly name = "Tied";
  embed = new nn.Embedding(5, 4);
  head = new nn.Linear(4, 5, { bias: false });

  constructor() {
    super();
    this.head.weight.dispose();
    this.head.weight = this.embed.weight;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.head(this.embed(x));
  }
}
