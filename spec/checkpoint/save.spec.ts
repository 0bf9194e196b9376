import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "sconce";
import { toBfloat16Bits, toFloat16Bits } from "../../lib/checkpoint/half.js";
import { Entry } from "../../lib/checkpoint/entry.js";
import { load, save } from "../../lib/checkpoint/index.js";
import { readFixture, readJson } from "../support/files.js";

interface Halves {
  float32: number[];
  float16: number[];
  bfloat16: number[];
  doubles: number[];
  doublesAsFloat16: number[];
}

const bytesOf = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const headerOf = (file: Uint8Array): string => {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  return new TextDecoder().decode(file.subarray(8, 8 + length));
};

async function failure(...args: Parameters<typeof save>): Promise<string> {
  return save(...args).then(
    () => "saved",
    (error: unknown) => String(error),
  );
}

describe("Rounding to halves", () => {
  it("is PyTorch's, of every exponent, of ties, subnormals, overflow and NaN", async () => {
    const golden = await readJson<Halves>("goldens/halves.json");
    const floats = new Float32Array(Uint32Array.from(golden.float32).buffer);
    // Of a NaN, neither sign nor fraction mean anything: it is above infinity.
    const plain = (codes: ArrayLike<number>, infinity: number): number[] =>
      Array.from(codes, (code, i) => {
        const isNaN = Number.isNaN(floats[i]!);
        if (isNaN) expect(code & 0x7fff).to.be.above(infinity);
        return isNaN ? NaN : code;
      });
    expect(plain(toFloat16Bits(floats), 0x7c00)).to.deep.equal(plain(golden.float16, 0x7c00));
    expect(plain(toBfloat16Bits(floats), 0x7f80)).to.deep.equal(plain(golden.bfloat16, 0x7f80));
  });

  it("gives every half back", () => {
    const codes = Uint16Array.from({ length: 65536 }, (_, code) => code);
    for (const [dtype, round] of [
      ["float16", toFloat16Bits],
      ["bfloat16", toBfloat16Bits],
    ] as const) {
      // prettier-ignore
      const floats = new Entry(dtype, [65536], bytesOf(codes)).toFloat32();
      const back = round(floats);
      const lost = codes.filter((code) => back[code] !== code && !Number.isNaN(floats[code]!));
      expect(Array.from(lost), dtype).to.deep.equal([]);
    }
  });

  it("goes through float32, as PyTorch's does", async () => {
    const { doubles, doublesAsFloat16 } = await readJson<Halves>("goldens/halves.json");
    const entry = new Entry("float64", [doubles.length], bytesOf(Float64Array.from(doubles)));
    const saved = await load(await save({ entry }, { dtype: "float16" }));
    expect(Array.from(saved.get("entry")!.data as Uint16Array)).to.deep.equal(doublesAsFloat16);
  });
});

describe("Saving", () => {
  const GOOD = ["mixed.safetensors", "net.safetensors", "nonascii.safetensors"];
  for (const name of GOOD) {
    it(`gives the bytes of ${name}, as Python wrote them`, async () => {
      const file = await readFixture(`goldens/checkpoints/good/${name}`);
      const { __metadata__: metadata } = JSON.parse(headerOf(file)) as {
        __metadata__?: Record<string, string>;
      };
      const saved = await save(await load(file), { metadata });
      expect(headerOf(saved)).to.equal(headerOf(file));
      expect(saved).to.deep.equal(file);
    });
  }

  it("takes what stateDict gives, and gives it to loadStateDict", async () => {
    nn.manualSeed(1);
    const model = new nn.Sequential([new nn.Linear(3, 4), new nn.BatchNorm1d(4)]);
    const copy = new nn.Sequential([new nn.Linear(3, 4), new nn.BatchNorm1d(4)]);
    const file = await save(model.stateDict());
    const entries = await load(file);
    expect([...entries.keys()]).to.have.members([...model.stateDict().keys()]);
    copy.loadStateDict(entries);
    for (const [key, tensor] of model.stateDict()) {
      const twin = copy.stateDict().get(key)!;
      expect(Array.from(twin.dataSync()), key).to.deep.equal(Array.from(tensor.dataSync()));
    }
    model.dispose();
    copy.dispose();
  });

  it("takes tensors of every dtype that tfjs has, and tied ones twice", async () => {
    const tied = tf.tensor2d([[1, 2, 3]]);
    const state = {
      ...{ a: tied, b: tied, i: tf.tensor1d([1, -2], "int32"), t: tf.tensor1d([true, false]) },
      ...{ c: tf.complex([1, 2], [3, 4]), s: tf.scalar(5), e: tf.zeros([0, 3]) },
    };
    const entries = await load(await save(state));
    tf.dispose(state);
    const told = [...entries].map(([key, { dtype, shape, data }]) => [
      key,
      dtype,
      shape,
      [...data],
    ]);
    expect(told).to.have.deep.members([
      ["a", "float32", [1, 3], [1, 2, 3]],
      ["b", "float32", [1, 3], [1, 2, 3]],
      ["i", "int32", [2], [1, -2]],
      ["t", "bool", [2], [1, 0]],
      ["c", "complex64", [2], [1, 3, 2, 4]],
      ["s", "float32", [], [5]],
      ["e", "float32", [0, 3], []],
    ]);
  });

  it("changes floating-point tensors alone to the dtype", async () => {
    const state = new Map<string, Entry>([
      ["f", new Entry("float32", [2], bytesOf(Float32Array.of(1.1, -2)))],
      ["h", new Entry("bfloat16", [1], bytesOf(Uint16Array.of(0x3f80)))],
      ["d", new Entry("float64", [1], bytesOf(Float64Array.of(0.1)))],
      ["i", new Entry("int64", [1], bytesOf(BigInt64Array.of(2n ** 60n)))],
      [
        "q",
        new Entry("qint8", [2], bytesOf(Int8Array.of(1, 3)), "q", { scale: [0.5], zeroPoint: [1] }),
      ],
    ]);
    for (const dtype of ["float16", "bfloat16", "float32", "float64"] as const) {
      const entries = await load(await save(state, { dtype }));
      const dtypes = Object.fromEntries([...entries].map(([key, entry]) => [key, entry.dtype]));
      expect(dtypes).to.deep.equal({ f: dtype, h: dtype, d: dtype, i: "int64", q: dtype });
      expect(entries.get("i")!.data[0]).to.equal(2n ** 60n);
      expect(entries.get("f")!.toFloat32()[0]).to.be.closeTo(1.1, 0.01);
      expect(Array.from(entries.get("q")!.toFloat32())).to.deep.equal([0, 1]);
    }
    const wide = await load(await save(state, { dtype: "float64" }));
    expect(wide.get("d")!.data[0]).to.equal(0.1);
  });

  it("writes values of half a byte as Python does, which counts their pairs", async () => {
    const pairs = Uint8Array.of(0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe);
    const file = await save({ a: new Entry("float4_e2m1fn_x2", [2, 4], pairs) });
    expect(headerOf(file)).to.equal('{"a":{"dtype":"F4","shape":[2,8],"data_offsets":[0,8]}} ');
    const back = (await load(file)).get("a")!;
    expect([back.dtype, back.shape, back.data]).to.deep.equal(["float4_e2m1fn_x2", [2, 4], pairs]);
    const scalar = new Entry("float4_e2m1fn_x2", [], Uint8Array.of(1));
    expect(await failure({ scalar })).to.contain("for which safetensors has no dtype");
  });

  it("orders keys as their bytes, and writes any name", async () => {
    const one = new Entry("float32", [1], bytesOf(Float32Array.of(1)));
    const names = ["b", 'a\n"\\', "\u{1f600}", "\uffee", "ä", "__proto__"];
    const file = await save(new Map(names.map((name) => [name, one])));
    const keys = [...(await load(file)).keys()];
    expect(keys).to.deep.equal(["__proto__", 'a\n"\\', "b", "ä", "\uffee", "\u{1f600}"]);
  });

  it("says of which tensor there are no values", async () => {
    const model = nn.meta(() => new nn.Linear(1, 1));
    expect(await failure(model.stateDict())).to.match(
      /^CheckpointError: 'bias' cannot be saved: Cannot copy out of meta tensor; no data!/,
    );
    const short = {
      shape: [2],
      dtype: "float32",
      data: () => Promise.resolve(new Float32Array(1)),
    };
    expect(await failure({ short })).to.equal(
      "CheckpointError: 'short' has 4 bytes, but its shape and dtype need 8",
    );
  });

  it("says what it cannot write", async () => {
    const bare = new Entry("complex128", [1], new Uint8Array(16), "c");
    expect(await failure({ c: bare })).to.equal(
      "CheckpointError: 'c' is complex128, for which safetensors has no dtype",
    );
    const quantised = new Entry("qint8", [1], new Uint8Array(1), "q", {
      scale: [1],
      zeroPoint: [0],
    });
    expect(await failure({ q: quantised })).to.contain("'q' is qint8, for which");
    const model = new nn.Linear(1, 1);
    expect(await failure(model as never)).to.equal(
      "TypeError: save: expected a state_dict, as model.stateDict() and load give it, got a module: " +
        "save(model.stateDict())",
    );
    model.dispose();
    expect(await failure({ a: 1 } as never)).to.contain(
      "got one whose 'a' is number 1, not a tensor",
    );
    expect(await failure({}, { dtype: "int8" } as never)).to.equal(
      "TypeError: save: dtype must be one of float16, bfloat16, float32, float64, got 'int8'",
    );
    expect(await failure({}, { type: "x" } as never)).to.contain("unexpected option 'type'");
    expect(await failure({}, { metadata: { n: 1 } } as never)).to.contain("must be texts");
  });
});
