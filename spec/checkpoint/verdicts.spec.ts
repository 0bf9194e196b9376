import { expect } from "chai";
import { CheckpointError, type Entry, load } from "../../lib/checkpoint/index.js";
import { readFixture } from "../support/files.js";

/** A small file at the edge of its format, and what the real library says of it. */
interface Case {
  kind: "safetensors" | "npy" | "npz" | "pt";
  name: string;
  /** All bytes are in base64. */
  file: string;
  state?: State;
  refused?: string;
  /** What is read only by those who trust the file: it may be refused here. */
  trusted?: State;
}

type State = Record<string, Described>;

interface Described {
  shape: number[];
  dtype?: string;
  data?: string;
  /** Of quantised tensors: float32. */
  real?: string;
  /** A dtype or layout without plain values. */
  other?: string;
}

type Verdict = { state: State } | { refused: string };

/** Where we say the opposite of the real library, and why. */
const OPPOSITE: [kind: Case["kind"], name: RegExp, why: string][] = [
  ["safetensors", /^(dtype )?F6_E.M.(, empty)?$/, "the format has it, only PyTorch has not"],
  ["safetensors", /^F4 of \[(2, 3|4, 1)\]$/, "the format has it, only PyTorch has not"],
  ["safetensors", /^dtype \{'F32': None\}$/, "an accident of its parser that nobody writes"],
  ["safetensors", /^a tensor that is \["F32",\[2\],\[0,8\]\]$/, "an accident of its parser"],
  ["safetensors", /^empty .*(2305843009213693952|2\*\*62)/, "JavaScript counts up to 2^53"],
  ["safetensors", /^one name twice, the first null$/, "what the last hides is not looked at"],
  ["npy", /^descr ('<f04'|\('<f4', (\(\)|1)\))$/, "an accident of its parser that nobody writes"],
  ["npy", /^text "?'?\\n\\n /, "where Python's lines begin does not matter here"],
  ["npy", /^text .*\} \\\\\\n/, "how Python's lines end does not matter here"],
  ["npy", /^text .*\\143r/, "nobody writes letters as octal numbers"],
  [
    "pt",
    /(uint(16|32|64)|float[48]_\w+|complex32|nested), legacy$/,
    "PyTorch fails on its own file",
  ],
  ["npz", /^\d members counted/, "a directory is damaged whose count and size disagree"],
  ["pt", /^a size of 524 in 0606$/, "a directory is damaged whose count and size disagree"],
  ["npz", /^packed by/, "browsers and Node unpack deflate alone"],
  ["pt", /^beside a list that holds itself/, "Python runs out of stack as it cleans up"],
  ["pt", /^a bit of \/data\/0 flipped$/, "PyTorch does not verify the checksums of storages"],
  ["pt", /^(a device|cuda)$/, "where it was does not matter here"],
  ["pt", /^an (empty archive|archive of arrays' names)$/, "these are .npz"],
];

const isOpposite = ({ kind, name }: Case): boolean =>
  OPPOSITE.some(([of, pattern]) => of === kind && pattern.test(name));

const decode = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const encode = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer, byteOffset, byteLength)));

async function readCases(): Promise<Case[]> {
  const packed = await readFixture("goldens/checkpoint-verdicts.json.gz");
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json() as Promise<Case[]>;
}

/** As the library described it; null if it is there without values, as it should be. */
function describeEntry(entry: Entry, want: Described | undefined): Described {
  const { dtype, shape } = entry;
  if (want === undefined) return { shape: [...shape] };
  if (want.other !== undefined) {
    expect(() => entry.toFloat32()).to.throw(CheckpointError);
    return want;
  }
  const found = { dtype, shape: [...shape], data: encode(entry.data) };
  return want.real === undefined ? found : { ...found, real: encode(entry.toFloat32()) };
}

async function judge(file: string, wanted: State): Promise<Verdict> {
  try {
    const entries = await load(decode(file));
    const found = [...entries].map(([key, entry]) => [key, describeEntry(entry, wanted[key])]);
    return { state: Object.fromEntries(found) as State };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return { refused: error.message };
  }
}

/** Compares with the library's verdict; arrays alone are nothing that is loaded without numbers. */
async function expectVerdict(item: Case): Promise<void> {
  const { kind, file, state, trusted } = item;
  const verdict = await judge(file, state ?? trusted ?? {});
  const isForeign = kind === "npy" && state?.array?.other !== undefined;
  const loads = state !== undefined && !isForeign;
  if (isOpposite(item)) expect("state" in verdict).to.equal(!loads);
  else if (loads) expect(verdict).to.deep.equal({ state });
  else if (trusted === undefined) expect(verdict).to.have.property("refused");
  else if ("state" in verdict) expect(verdict).to.deep.equal({ state: trusted });
}

describe("The verdicts of safetensors, numpy and PyTorch", () => {
  let cases: Case[];
  before(async () => {
    cases = await readCases();
  });
  for (const kind of ["safetensors", "npy", "npz", "pt"]) {
    it(`are ours on every .${kind}`, async () => {
      const differing: string[] = [];
      for (const item of cases.filter((other) => other.kind === kind)) {
        await expectVerdict(item).catch((error: Error) => {
          differing.push(`${item.name} (${item.refused ?? "loads"}): ${error.message}`);
        });
      }
      expect(differing).to.deep.equal([]);
    });
  }

  it("name every exception rightly", () => {
    const unused = OPPOSITE.filter(
      ([kind, pattern]) => !cases.some((item) => item.kind === kind && pattern.test(item.name)),
    );
    expect(unused).to.deep.equal([]);
  });
});
