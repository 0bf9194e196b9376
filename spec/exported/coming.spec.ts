import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { bytesSource } from "../../lib/checkpoint/byte-source.js";
import * as nn from "../../lib/index.js";
import { makeZip, readZip } from "../support/zip.js";
import { readProgram } from "./support.js";

/** More than what is read with the directory, so that what lies before comes by reads of its own. */
const TAIL = 70_000;

/** An exported program whose last weight comes when it is let, or fails. */
async function slow(): Promise<{
  source: nn.ByteSource;
  count: number;
  waits: Promise<void>;
  come(): void;
  fail(): void;
}> {
  const members = await readZip(await readProgram("mlp"));
  const weights = [...members.keys()].filter((name) => /\/weight_\d+$/.test(name));
  const last = weights.pop()!;
  const bytes = members.get(last)!;
  // Behind all others, so that nothing is read along with it.
  members.delete(last);
  const file = makeZip(new Map([...members, [last, bytes], ["mlp/extra", new Uint8Array(TAIL)]]));
  const begin = new TextDecoder("latin1").decode(file).indexOf(last) - 30;
  const whole = bytesSource(file, "mlp.pt2");
  let [come, fail, reached] = [(): void => {}, (): void => {}, (): void => {}];
  const gate = new Promise<void>((resolve, reject) => {
    come = resolve;
    fail = () => void reject(new Error("the disk is gone"));
  });
  const waits = new Promise<void>((resolve) => (reached = resolve));
  const read = async (from: number, to: number): Promise<Uint8Array> => {
    if (from === begin) {
      reached();
      await gate;
    }
    return whole.read(from, to);
  };
  const { size } = whole;
  return { source: { name: "mlp.pt2", size, read }, count: weights.length, waits, come, fail };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe("Weights of an exported program", () => {
  before(() => nn.setBackend("cpu"));

  it("are uploaded as they come", async () => {
    const { numTensors } = tf.memory();
    const { source, count, waits, come } = await slow();
    const loading = nn.loadExported(source);
    await waits;
    await turn();
    expect(tf.memory().numTensors - numTensors).to.equal(count);
    come();
    const program = await loading;
    expect(tf.memory().numTensors - numTensors).to.equal(count + 1);
    program.dispose();
    expect(tf.memory().numTensors).to.equal(numTensors);
  });

  it("are given back if one cannot be read", async () => {
    const { numTensors } = tf.memory();
    const { source, waits, fail } = await slow();
    const loading = nn.loadExported(source).catch((error: unknown) => error as Error);
    await waits;
    await turn();
    fail();
    const error = await loading;
    expect(error).to.be.instanceOf(nn.CheckpointError);
    expect((error as Error).message).to.include("the disk is gone");
    expect(tf.memory().numTensors).to.equal(numTensors);
  });

  it("are given back, and no more are uploaded, once the load is given up", async () => {
    const { numTensors } = tf.memory();
    const { source, waits, come } = await slow();
    const controller = new AbortController();
    const loading = nn
      .loadExported(source, { signal: controller.signal })
      .catch((error: unknown) => error as Error);
    await waits;
    await turn();
    controller.abort();
    expect(await loading).to.have.property("name", "AbortError");
    expect(tf.memory().numTensors).to.equal(numTensors);
    come();
    await turn();
    expect(tf.memory().numTensors).to.equal(numTensors);
  });
});
