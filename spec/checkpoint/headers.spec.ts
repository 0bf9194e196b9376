import { expect } from "chai";
import { smallToFloat32 } from "../../lib/checkpoint/float.js";
import { widenHalves } from "../../lib/checkpoint/half-loop.js";
import { parseHeaderJson } from "../../lib/checkpoint/header-json.js";
import { Entry } from "../../lib/checkpoint/entry.js";
import { CheckpointError, load } from "../../lib/checkpoint/index.js";

/** Headers at the edges of their formats, with the verdicts of the real libraries. */
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function safetensors(header: string, bytes: number, length?: bigint): Uint8Array {
  const text = encode(header);
  const file = new Uint8Array(8 + text.length + bytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

function npy(header: string, bytes: number, version = [1, 0]): Uint8Array {
  const text = encode(header);
  const begin = version[0] === 1 ? 10 : 12;
  const file = new Uint8Array(begin + text.length + bytes);
  file.set([0x93, ...encode("NUMPY"), ...version, text.length & 255, text.length >> 8]);
  file.set(text, begin);
  return file;
}

async function expectRefusal(file: Uint8Array, message: RegExp): Promise<void> {
  const error: unknown = await load(file).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(CheckpointError);
  expect((error as Error).message).to.match(message);
}

const A = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
const info = (fields: string): string => `{"a":{${fields}}}`;
const one = (fields: string): string => info(`"dtype":"F32",${fields}`);
const EMPTY = '"shape":[0],"data_offsets":[0,0]';

describe("safetensors headers that its own library takes", () => {
  const cases: [what: string, header: string, bytes: number, keys: string[]][] = [
    ["plain", `{${A}}`, 8, ["a"]],
    ["spaces after it", `{${A}}  \n`, 8, ["a"]],
    ["spaces before it", ` {${A}}`, 8, ["a"]],
    ["no tensors", "{}", 0, []],
    ["metadata", `{"__metadata__":{"a":"b"},${A}}`, 8, ["a"]],
    ["null for metadata", `{"__metadata__":null,${A}}`, 8, ["a"]],
    ["a key of metadata twice", `{"__metadata__":{"a":"b","a":"c"},${A}}`, 8, ["a"]],
    ["other fields", one('"shape":[2],"data_offsets":[0,8],"x":{"y":[-1.5,null]}'), 8, ["a"]],
    ["an empty tensor amid", `{${A},"b":{"dtype":"F32",${EMPTY}}}`, 8, ["a", "b"]],
    ["names that objects know", `{${A.replace("a", "__proto__")}}`, 8, ["__proto__"]],
    ["one tensor twice, of which the last counts", `{${A.replace("8]", "9]")},${A}}`, 8, ["a"]],
    ["no name", `{${A.replace("a", "")}}`, 8, [""]],
    ["a pair of surrogates", `{${A.replace("a", "\\ud83d\\ude00")}}`, 8, ["😀"]],
    ["many axes", one(`"shape":[${Array(70).fill(1).join()}],"data_offsets":[0,4]`), 4, ["a"]],
  ];
  for (const [what, header, bytes, keys] of cases) {
    it(what, async () => {
      const entries = await load(safetensors(header, bytes));
      expect([...entries.keys()]).to.have.members(keys);
    });
  }

  it("texts of many megabytes", async () => {
    const text = `${"x".repeat(2 ** 23)}${"\\u0061\\\\".repeat(2 ** 20)}`;
    const entries = await load(safetensors(`{"__metadata__":{"a":"${text}"},${A}}`, 8));
    expect([...entries.keys()]).to.deep.equal(["a"]);
  });

  it("half bytes, which PyTorch counts in pairs", async () => {
    const header = info('"dtype":"F4","shape":[3,4],"data_offsets":[0,6]');
    const entry = (await load(safetensors(header, 6))).get("a")!;
    expect(entry.dtype).to.equal("float4_e2m1fn_x2");
    expect(entry.shape).to.deep.equal([3, 2]);
    expect(() => entry.toFloat32()).to.throw(CheckpointError, "use its data");
  });
});

describe("safetensors headers that its own library refuses", () => {
  const cases: [what: string, header: string, bytes: number, message: RegExp][] = [
    ["zeros after it", `{${A}}\0`, 8, /not valid/],
    ["metadata that is no text", `{"__metadata__":{"a":1},${A}}`, 8, /__metadata__/],
    ["a number out of range", one('"shape":[2],"data_offsets":[0,8],"x":1e400'), 8, /range/],
    ["metadata twice", `{"__metadata__":{},"__metadata__":{},${A}}`, 8, /twice/],
    ["a size that is a float", one('"shape":[2.0],"data_offsets":[0,8]'), 8, /2\.0/],
    ["a size of minus zero", one('"shape":[-0],"data_offsets":[0,0]'), 0, /-0/],
    ["a shape that is a number", one('"shape":2,"data_offsets":[0,8]'), 8, /has shape 2/],
    [
      "sizes beyond 64 bits",
      one(`"shape":[4294967296,4294967296,0],${EMPTY.slice(12)}`),
      0,
      /bytes/,
    ],
    ["three offsets", one('"shape":[2],"data_offsets":[0,8,8]'), 8, /data_offsets/],
    ["a field twice", one('"dtype":"F32","shape":[2],"data_offsets":[0,8]'), 8, /"dtype" twice/],
    ["half a surrogate pair", `{${A.replace("a", "\\ud800")}}`, 8, /surrogate/],
    ["a hole", `{${A.replace("[0,8]", "[1,9]")}}`, 9, /should begin at 0/],
    ["a rest", `{${A}}`, 9, /take 8 bytes, but 9 follow/],
    ["half a byte", info('"dtype":"F4","shape":[3],"data_offsets":[0,1]'), 1, /1\.5 bytes/],
    [
      "nesting without end",
      one(`${EMPTY},"x":${"[".repeat(200)}${"]".repeat(200)}`),
      0,
      /too deep/,
    ],
  ];
  for (const [what, header, bytes, message] of cases) {
    it(what, () => expectRefusal(safetensors(header, bytes), message));
  }

  it("what a blank before the first name does not change, plain as it is", () => {
    const outcome = (text: string): unknown => {
      try {
        return parseHeaderJson(text);
      } catch (error) {
        return (error as Error).message.replace(
          /(, at| in JSON| after JSON| at position| at line| \().*/s,
          "",
        );
      }
    };
    const fields = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';
    const metadata = '"__metadata__":{"format":"pt"}';
    const texts = [
      ...[`{${A}}`, `{${A},${A}}`, `{${metadata},${A}}`, `{${metadata},${A}}   `, `{${metadata}}`],
      ...[
        `{${metadata},${metadata},${A}}`,
        `{${A},"__metadata__":{${fields}}}`,
        `{${A},}`,
        `{${A}`,
      ],
      ...[`{"__metadata__":{${fields}},"__metadata__":{${fields}}}`, `{${A}}}`, `{${A}} x`, "{}"],
      ...[`{${A.replace("8", "08")}}`, `{${A.replace("8", "1e400")}}`, `{${A.replace("8", "-0")}}`],
      ...[`{${A.replace("2", "12345678901234567890")}}`, `{${A.replace('"a"', '"\\u0061"')}}`],
      ...[`{${A.replace('"a"', '"\n"')}}`, `{${A.replace("2", "")}}`, `{${A.replace("2", "2,")}}`],
      ...[`{${A.replace('"a"', '"__proto__"')}}`, `{"":{${fields}}}`, `{"é😀":{${fields}}}`],
    ];
    for (const text of texts) {
      expect(outcome(text), text).to.deep.equal(outcome(text.replace("{", "{ ")));
    }
  });

  it("nesting that would take seconds to build", async () => {
    const text = `{"a":${"[".repeat(1e6)}`;
    const began = performance.now();
    await expectRefusal(safetensors(text, 0), /nested too deep/);
    await expectRefusal(encode(text), /nested too deep/);
    expect(performance.now() - began).to.be.below(1000);
  });

  it("a length that the file does not have", async () => {
    await expectRefusal(safetensors(`{${A}}`, 8, 2n ** 63n), /header claims 9223372036854775808/);
    await expectRefusal(safetensors(`{${A}}`, 8, 1000n), /header claims 1000 bytes, but the file/);
  });
});

const dict = (descr: string, shape = "(2,)"): string =>
  `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;

describe(".npy headers that numpy takes", () => {
  const cases: [what: string, header: string, dtype: string, version?: number[]][] = [
    ["plain", dict("'<f4'"), "float32"],
    ["version 2", dict("'<i8'"), "int64", [2, 0]],
    ["version 3", dict("'|b1'"), "bool", [3, 0]],
    ["other quotes and order", `{"shape": (2,), "fortran_order": True, "descr": ">f8"}`, "float64"],
    ["Python 2's longs", dict("'<u2'", "(2L,)"), "uint16"],
    ["a name", dict("'float16'"), "float16"],
    ["C's name", dict("'double'"), "float64"],
    ["a comment", dict("u'<i4'", "(+0x2,) # two\n"), "int32"],
    ["lines", dict("'<c8'").replaceAll(",", ",\n"), "complex64"],
  ];
  for (const [what, header, dtype, version] of cases) {
    it(what, async () => {
      const entry = (await load(npy(header, 64, version))).get("array")!;
      expect([entry.dtype, ...entry.shape]).to.deep.equal([dtype, 2]);
    });
  }
});

describe(".npy headers that numpy refuses, and arrays without numbers", () => {
  const cases: [what: string, header: string, message: RegExp, version?: number[]][] = [
    ["a call", dict("__import__('os').getcwd()"), /not a plain dict/],
    ["a sum", dict("'<f4'", "(1+1,)"), /not a plain dict/],
    ["a list for the shape", dict("'<f4'", "[2]"), /no shape/],
    ["a number for the shape", dict("'<f4'", "(2)"), /no shape/],
    ["a negative size", dict("'<f4'", "(-1,)"), /no shape/],
    ["another key", dict("'<f4'").replace("}", "'x': 1}"), /not a plain dict/],
    ["a missing key", "{'descr': '<f4', 'shape': (2,)}", /not a plain dict/],
    ["a word for the order", dict("'<f4'").replace("False", "0"), /fortran_order/],
    ["more after it", `${dict("'<f4'")} x`, /follows its end/],
    ["Python 2's longs in version 3", dict("'<f4'", "(2L,)"), /2L is no literal/, [3, 0]],
    ["spaces that Python has not", dict("'<f4'").replaceAll(" ", "\xa0"), /unknown/],
    ["axes too long beside one of 0", dict("'<f4'", "(0, 4294967296, 4294967296)"), /counted/],
    ["version 4", dict("'<f4'"), /version 4\.0/, [4, 0]],
    ["a long header", dict("'<f4'") + " ".repeat(10_001), /numpy's limit is 10000/],
    ["far more than there is", dict("'<f4'", "(99999999999, 99999999999)"), /follow its header/],
    ["texts", dict("'<U3'"), /it holds str, not numbers/],
    ["dates", dict("'<M8[ns]'"), /datetime64.*astype/],
    ["objects", dict("'|O'"), /which are a pickle/],
    ["fields", dict("[('a', '<f4')]"), /structured/],
    ["long doubles", dict("'<f16'"), /longdouble.*astype/],
    ["no dtype", dict("'<f3'"), /dtype "<f3"/],
  ];
  for (const [what, header, message, version] of cases) {
    it(what, () => expectRefusal(npy(header, 256, version), message));
  }
});

describe("Entries", () => {
  const view = new DataView(new ArrayBuffer(4));
  const codes = Uint16Array.from({ length: 65536 }, (_, code) => code);
  const halves = async (name: string): Promise<Entry> => {
    const header = info(`"dtype":"${name}","shape":[65536],"data_offsets":[0,131072]`);
    const file = safetensors(header, 131072);
    file.set(new Uint8Array(codes.buffer), file.length - 131072);
    return (await load(file)).get("a")!;
  };

  it("make every bfloat16 the float32 of its upper half", async () => {
    const bits = new Uint32Array((await halves("BF16")).toFloat32().buffer);
    expect(bits.every((value, code) => value === (code << 16) >>> 0)).to.equal(true);
  });

  it("make every float16 the same number", async () => {
    const floats = (await halves("F16")).toFloat32();
    const wrong = [...codes].filter((code) => {
      const [exponent, fraction] = [(code >> 10) & 31, code & 1023];
      const size = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
      const special = fraction ? NaN : Infinity;
      const want = (code & 0x8000 ? -1 : 1) * (exponent === 31 ? special : size);
      return !Object.is(floats[code], want);
    });
    expect(wrong).to.deep.equal([]);
    view.setFloat32(0, floats[0x8000]!);
    expect(view.getUint32(0)).to.equal(0x80000000);
  });

  it("make every float16 the bits that a table gives, also where there is no SIMD", () => {
    const bits = (floats: Float32Array): Uint32Array => new Uint32Array(floats.buffer);
    const looped = widenHalves(codes);
    expect(looped, "SIMD here").to.not.equal(null);
    expect(bits(looped!)).to.deep.equal(bits(smallToFloat32("float16", codes)));
  });

  for (const dtype of ["float16", "bfloat16"] as const) {
    it(`make as much of ${dtype} wherever it lies, also of odd counts`, () => {
      const bytes = new Uint8Array(codes.buffer);
      const whole = new Entry(dtype, [65536], bytes).toFloat32();
      for (const [begin, end] of [
        [0, 65535],
        [1, 65536],
        [1, 65535],
        [3, 4],
        [5, 5],
      ] as const) {
        const part = new Entry(dtype, [end - begin], bytes.subarray(2 * begin, 2 * end));
        expect(part.toFloat32()).to.deep.equal(whole.slice(begin, end));
      }
    });
  }
});
