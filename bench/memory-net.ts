/** The network of bench/memory.ts, and what a page does with it. */
import * as nn from "sconce";
import { Entry } from "../lib/checkpoint/entry.js";

const LAYERS = 30;
const WIDTH = 2048;

/** Bytes of its weights in float32. */
export const NET_BYTES = 4 * LAYERS * (WIDTH * WIDTH + WIDTH);

export const makeNet = (layers = LAYERS): nn.Module =>
  nn.meta(
    () => new nn.Sequential(...Array.from({ length: layers }, () => new nn.Linear(WIDTH, WIDTH))),
  );

/** Its state_dict. The values are not zero, as pages of zeros may take no memory. */
export function stateOf(layers = LAYERS): Map<string, Entry> {
  const shapes = [...makeNet(layers).stateDict()].map(([key, { shape }]) => [key, shape] as const);
  return new Map(
    shapes.map(([key, shape]) => {
      const values = new Float32Array(shape.reduce((count, size) => count * size, 1));
      for (let i = 0; i < values.length; i += 1) values[i] = (i % 1000) / 1000;
      return [key, new Entry("float32", shape, new Uint8Array(values.buffer), key)];
    }),
  );
}

export function fillFrom(net: nn.Module, entries: nn.StateSource): void {
  net.loadStateDict(entries);
}

/** Holds results, so that nothing is freed before it is measured. */
const kept: unknown[] = [];

/** In a page: loads a checkpoint from a URL. An empty URL loads an empty one, to warm up. */
export async function loadHere(url: string, target: "entries" | "cpu"): Promise<void> {
  if (target === "cpu") await nn.setBackend("cpu");
  const entries = await nn.load(url || (await nn.save(stateOf(0))), { cache: false });
  const net = makeNet(url ? LAYERS : 0);
  if (target === "cpu") fillFrom(net, entries);
  kept.push(net, target === "entries" && entries);
}
