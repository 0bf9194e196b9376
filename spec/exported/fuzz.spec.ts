import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { fc, SEED } from "../support/fast-check.js";
import { inBrowser } from "../support/files.js";
import { makeZip, readZip } from "../support/zip.js";
import { readProgram } from "./support.js";

/** Every outcome is a program or a CheckpointError whose sentence names what is wrong. */
const RUNS = inBrowser ? 100 : 1000;
const NAMES = ["mlp", "dynamic", "cond", "while-loop", "constants", "views", "classes", "counter"];

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Program {
  members: Map<string, Uint8Array>;
  /** The member that is the program, and those that list the tensors. */
  texts: string[];
}

/** What an engine says of a mistake of ours, not of the file's. */
const UNCLEAR =
  /undefined|is not (a function|iterable)|Cannot (read|convert)|reading '|\[object|NaN/;

async function attempt(bytes: Uint8Array): Promise<void> {
  const before = tf.memory().numTensors;
  const began = performance.now();
  try {
    const program = await nn.loadExported(bytes);
    String(program);
    program.graph.print();
    program.dispose();
  } catch (error) {
    if (!(error instanceof nn.CheckpointError)) throw error;
    expect(error.message).not.to.match(UNCLEAR);
  }
  expect(tf.memory().numTensors - before, "tensors left behind").to.equal(0);
  expect(performance.now() - began, "ms").to.be.below(5000);
}

/** A container and a key in it, by a number. */
function pick(json: Json, choice: number): [Json[] | { [key: string]: Json }, string] | undefined {
  const places: [Json[] | { [key: string]: Json }, string][] = [];
  const walk = (value: Json): void => {
    if (value === null || typeof value !== "object") return;
    for (const [key, inner] of Object.entries(value)) {
      places.push([value, key]);
      walk(inner);
    }
  };
  walk(json);
  return places[Math.floor(choice * places.length)];
}

const at = fc.noBias(fc.nat(999_999)).map((millionths) => millionths / 1e6);
const value: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -1, 1, 7, 2 ** 31, 2 ** 53, -(2 ** 40), 1e308, 0.5),
  fc.constantFrom<Json>("", "x", "p_fc1_weight", "torch.ops.aten.add_.Tensor", "__proto__", [], {}),
  fc.constantFrom<Json>("[1, null]", '[1, {"type": "builtins.tuple", "children_spec": []}]'),
  fc.constantFrom<Json>([1], { as_int: -5 }, { as_none: true }, { as_tensor: { name: "x" } }),
);
const change = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), at, value }),
  fc.record({ kind: fc.constant("remove" as const), at }),
  fc.record({ kind: fc.constantFrom("copy" as const, "swap" as const, "nest" as const), at, from: at }),
); // prettier-ignore
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function applyTo(json: Json, one: Change): void {
  const picked = pick(json, one.at);
  if (picked === undefined) return; // nothing is left
  const [holder, key] = picked as [Record<string, Json>, string];
  if (one.kind === "set") holder[key] = structuredClone(one.value);
  else if (one.kind === "remove") {
    if (Array.isArray(holder)) (holder as Json[]).splice(Number(key), 1);
    else delete holder[key];
  } else {
    const [other, there] = pick(json, one.from) as [Record<string, Json>, string];
    const copied = structuredClone(other[there]!);
    if (one.kind === "swap") other[there] = structuredClone(holder[key]!);
    holder[key] = one.kind === "nest" ? [copied, holder[key]!] : copied;
  }
}

describe(`exported programs that were changed, from the seed ${SEED}`, function () {
  let programs: Program[];
  before(async () => {
    await nn.setBackend("cpu");
    programs = [];
    for (const name of NAMES) {
      const members = await readZip(await readProgram(name));
      const texts = [...members.keys()].filter((one) => one.endsWith(".json"));
      texts.sort((a, b) => Number(b.includes("/models/")) - Number(a.includes("/models/")));
      programs.push({ members, texts });
    }
  });

  it("in their JSON", async () => {
    const property = fc.asyncProperty(
      fc.nat(NAMES.length - 1),
      fc.nat(99),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      async (index, which, changes) => {
        const { members, texts } = programs[index]!;
        // Mostly the program itself.
        const name = texts[which < 80 ? 0 : which % texts.length]!;
        const json = JSON.parse(new TextDecoder().decode(members.get(name))) as Json;
        for (const one of changes) applyTo(json, one);
        const text = new TextEncoder().encode(JSON.stringify(json));
        await attempt(makeZip(new Map([...members, [name, text]])));
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  });

  it("in their bytes", async () => {
    const bytes = programs.map(({ members }) => makeZip(members));
    const property = fc.asyncProperty(
      fc.nat(NAMES.length - 1),
      fc.array(fc.tuple(at, fc.nat(255), fc.nat(40)), { minLength: 1, maxLength: 6 }),
      async (index, changes) => {
        let file = bytes[index]!.slice();
        for (const [place, byte, kind] of changes) {
          const offset = Math.floor(place * file.length);
          if (kind === 0) file = file.slice(0, offset);
          else if (kind < 10) file.copyWithin(offset, Math.floor((byte / 256) * file.length), offset);
          else if (offset < file.length) file[offset] = byte;
        }
        await attempt(file);
      },
    ); // prettier-ignore
    await fc.assert(property, { numRuns: RUNS });
  });
});
