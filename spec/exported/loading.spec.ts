import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { isInBody } from "../../lib/functional/op.js";
import * as nn from "../../lib/index.js";
import { makeZip, readZip } from "../support/zip.js";
import { readProgram } from "./support.js";

interface Json {
  graph_module: { graph: { nodes: { target: string; inputs: unknown[] }[] } };
}

describe("loadExported", () => {
  before(() => nn.setBackend("cpu"));

  /** Changes the text of the program in a file, whose members are stored as they are. */
  async function changed(name: string, from: string, to: string): Promise<Uint8Array> {
    expect(to.length, "the offsets must not move").to.equal(from.length);
    const bytes = (await readProgram(name)).slice();
    const text = new TextDecoder("latin1").decode(bytes);
    for (let at = text.indexOf(from); at >= 0; at = text.indexOf(from, at + 1)) {
      for (let i = 0; i < to.length; i += 1) bytes[at + i] = to.charCodeAt(i);
    }
    // Without a checksum there is nothing to disagree with.
    const view = new DataView(bytes.buffer);
    for (let at = text.indexOf("PK\x01\x02"); at >= 0; at = text.indexOf("PK\x01\x02", at + 1)) {
      view.setUint32(at + 16, 0, true);
    }
    return bytes;
  }

  it("lists the ops that there are not, with their counts and lines, until they are registered", async () => {
    const bytes = await changed("mlp", "aten.gelu.default", "aten.nope.default");
    const error = await nn.loadExported(bytes).catch((reason: unknown) => reason as Error);
    expect(error).to.be.instanceOf(nn.CheckpointError);
    expect((error as Error).message)
      .to.include("aten.nope.default × 1, in act (GELU)")
      .and.to.include("return F.gelu(input");
    nn.registerOp("aten.nope.default", (x: tf.Tensor) => tf.mul(x, 2));
    const program = await nn.loadExported(bytes);
    const y = program(tf.ones([2, 4])) as tf.Tensor;
    expect(y.shape).to.deep.equal([2, 3]);
    program.dispose();
  });

  it("runs each op by the kernels that layers have, without compiling", async () => {
    let mayUseKernels = false;
    nn.registerOp("aten.body.default", (x: tf.Tensor) => {
      mayUseKernels = isInBody("cpu");
      return tf.mul(x, 2);
    });
    const program = await nn.loadExported(
      await changed("mlp", "aten.gelu.default", "aten.body.default"),
    );
    tf.dispose(program(tf.ones([2, 4])) as tf.Tensor);
    expect(mayUseKernels).to.equal(true);
    program.dispose();
  });

  it("takes complex weights of another checkpoint", async () => {
    const program = await nn.loadExported(await readProgram("spectral"));
    const data = Float32Array.from({ length: 48 }, (_, i) => i);
    const weight = { dtype: "complex64", shape: [3, 2, 4], data, toFloat32: () => data };
    const { turns } = Object.fromEntries(program.stateDict());
    program.loadStateDict({ weight: weight as never, turns: turns! });
    expect(program.stateDict().get("weight")!.shape).to.deep.equal([3, 2, 4, 2]);
    expect([...program.stateDict().get("weight")!.dataSync()]).to.deep.equal([...data]);
    program.dispose();
  });

  it("says which ops are not there for complex tensors", () => {
    const z = { re: tf.ones([2, 2]), im: tf.ones([2, 2]) };
    const call = (): unknown =>
      lookUpOp("aten.linalg_ldl_factor.default")!([z], {}, { inputs: [], outputs: [] } as never);
    expect(call).to.throw("aten.linalg_ldl_factor.default is not there for complex tensors");
    tf.dispose(z);
  });

  it("refuses other versions of the schema by name", async () => {
    for (const major of [4, 9]) {
      const bytes = await changed("mlp", '"major": 8', `"major": ${major}`);
      const error = await nn.loadExported(bytes).catch((reason: unknown) => reason as Error);
      expect(error).to.be.instanceOf(nn.CheckpointError);
      expect((error as Error).message).to.match(
        /schema_version \d\.\d+, written by PyTorch 2\.15\S*: versions 5 to 8 are read/,
      );
      expect((error as Error).message).to.include(`schema_version ${major}.`);
    }
  });

  it("says what is not of its form, and where", async () => {
    const bytes = await changed("mlp", '"inputs"', '"input_"');
    const error = await nn.loadExported(bytes).catch((reason: unknown) => reason as Error);
    expect(error).to.be.instanceOf(nn.CheckpointError);
    expect((error as Error).message).to.equal(
      "<bytes>/mlp/models/model.json: is not of the form that is read: " +
        "program.graph_module.graph.inputs: expected a list, got nothing",
    );
  });

  it("says what a block is called with that does not fit it", async () => {
    const members = await readZip(await readProgram("counter"));
    const name = [...members.keys()].find((one) => one.endsWith("/models/model.json"))!;
    const target = "torch.ops.higher_order.wrap_with_set_grad_enabled";
    for (const [change, words] of [
      [(inputs: unknown[]) => (inputs[1] = { name: "", arg: { as_int: -5 }, kind: 1 }),
        "higher_order.wrap_with_set_grad_enabled takes a graph as argument 2"],
      [(inputs: unknown[]) => inputs.pop(), "there is no graph 'submod_1' of 0 inputs"],
    ] as const) {
      const json = JSON.parse(new TextDecoder().decode(members.get(name))) as Json;
      change(json.graph_module.graph.nodes.find((node) => node.target === target)!.inputs);
      const changed = new TextEncoder().encode(JSON.stringify(json));
      const reading = nn.loadExported(makeZip(new Map([...members, [name, changed]])));
      const error = await reading.catch((reason: unknown) => reason as Error);
      expect(error).to.be.instanceOf(nn.CheckpointError);
      expect((error as Error).message).to.equal(`<bytes>: the program cannot be read: ${words}`);
    }
  }); // prettier-ignore

  it("refuses what is no exported program, and one that is cut off", async () => {
    const bytes = await readProgram("mlp");
    for (const part of [bytes.subarray(0, 3000), new Uint8Array(10), new Uint8Array()]) {
      const error = await nn.loadExported(part).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(nn.CheckpointError);
    }
  });

  it("says of an error at which node, in which module and at which line it arose", async () => {
    nn.registerOp("aten.oops.default", () => {
      throw new Error("no");
    });
    const program = await nn.loadExported(
      await changed("mlp", "aten.gelu.default", "aten.oops.default"),
    );
    expect(() => program(tf.ones([2, 4]))).to.throw(
      /no\n {2}at %gelu = aten\.oops\.default, in act \(GELU\)\n {2}File "/,
    );
    program.dispose();
  });

  it("calls the hooks of the modules that it was exported from", async () => {
    const program = await nn.loadExported(await readProgram("cnn"));
    const seen: string[] = [];
    for (const [path, module] of program.namedModules()) {
      if (path === "") continue;
      module.registerForwardHook((_module, args, output) => {
        const shape = (output as tf.Tensor).shape.join("×");
        seen.push(`${path} ${module.constructor.name} ${args.length} ${shape}`);
      });
    }
    const x = tf.ones([2, 1, 9, 9]);
    tf.dispose(program(x) as tf.Tensor);
    expect(seen).to.include.members([
      "stem Conv2d 1 2×4×4×4",
      "layer1.0.conv Conv2d 1 2×4×4×4",
      "layer1.0 Block 1 2×4×4×4",
      "layer1 Sequential 1 2×4×4×4",
      "fc Linear 1 2×5",
    ]);
    expect(String(nn.summary(program, x))).to.include("Conv2d");
    program.dispose();
  });

  it("is summarised with inputs by keyword", async () => {
    const program = await nn.loadExported(await readProgram("keyed"));
    const ids = tf.zeros([2, 5], "int32");
    const named = { mask: tf.ones([2, 5]), scale: 0.5 };
    const summary = nn.summary(program, [ids, named]);
    expect(String(summary)).to.include("Embedding").and.to.include("Linear");
    expect(summary.inputBytes).to.equal(2 * 5 * 4 * 2);
    expect(() => nn.summary(program, [ids, [1, 2]] as never)).to.throw("summary: needs what");
    program.dispose();
    tf.dispose([ids, named.mask]);
  });

  it("takes another state_dict of the same model", async () => {
    const program = await nn.loadExported(await readProgram("mlp"));
    const zeros = [...program.stateDict()].map(([key, value]): [string, tf.Tensor] => [
      key,
      tf.zerosLike(value),
    ]);
    program.loadStateDict(new Map(zeros));
    const y = program(tf.ones([2, 4])) as tf.Tensor;
    expect(Array.from(y.dataSync(), (value) => Math.round(value * 1e6))).to.deep.equal(
      new Array(6).fill(333333),
    );
    program.dispose();
  });
});
