import { expect } from "chai";
import { load, type LoadProgress } from "../../lib/checkpoint/index.js";
import { LoadTask, nextTurn } from "../../lib/checkpoint/task.js";
import { joinBytes } from "../support/bytes.js";
import { inSafari } from "../support/files.js";
import { makeSafetensors, ramp } from "../support/safetensors.js";

const tensors = Object.fromEntries([0, 1, 2, 3].map((i) => [`t${i}`, ramp(65536, i)]));
const bytes = makeSafetensors(tensors);

/** A body that comes in pieces, `wait` ms between two. */
function slowly(pieces: number, wait: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent === pieces) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, wait));
      const step = Math.ceil(bytes.length / pieces);
      controller.enqueue(bytes.slice(sent * step, (sent + 1) * step));
      sent += 1;
    },
  });
}

const withLength = (body: ReadableStream<Uint8Array>): Response =>
  new Response(body, { headers: { "content-length": String(bytes.length) } });

async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "it was loaded",
    (reason: unknown) => reason,
  );
}

describe("Progress of a load", () => {
  async function progressOf(source: Parameters<typeof load>[0], options = {}) {
    const reports: (LoadProgress & { at: number })[] = [];
    const onProgress = (progress: LoadProgress): void => {
      reports.push({ ...progress, at: performance.now() });
    };
    await load(source, { onProgress, ...options });
    return reports;
  }

  it("is told in between, at most every 50 ms, and at the end", async () => {
    const reports = await progressOf(withLength(slowly(30, 10)));
    expect(reports.length).to.be.within(3, 12);
    for (let i = 1; i < reports.length; i += 1) {
      expect(reports[i]!.loaded).to.be.at.least(reports[i - 1]!.loaded);
      const isLast = i === reports.length - 1;
      if (!isLast) expect(reports[i]!.at - reports[i - 1]!.at).to.be.at.least(49);
      expect(reports[i]!.total).to.equal(bytes.length);
    }
    const { loaded, file } = reports.at(-1)!;
    expect({ loaded, file }).to.deep.equal({ loaded: bytes.length, file: "<response>" });
  });

  it("has no total as long as nobody knows it", async () => {
    const reports = await progressOf(new Response(slowly(10, 10)));
    expect(reports[0]!.total).to.equal(undefined);
    expect(reports.at(-1)!.total).to.equal(bytes.length);
  });

  it("counts only what is read, and names the tensor that is complete", async () => {
    const filter = (key: string): boolean => key === "t1";
    const reports = await progressOf(new Blob([bytes]), { filter });
    const { loaded, total, key } = reports.at(-1)!;
    expect(total).to.equal(loaded).and.to.be.within(262_144, 263_000);
    expect(key).to.equal("t1");
  });

  it("of bytes in memory is all of them, at the end", async () => {
    const reports = await progressOf(bytes);
    expect(reports.map(({ loaded, total, file }) => [loaded, total, file])).to.deep.equal([
      [bytes.length, bytes.length, "<bytes>"],
    ]);
  });

  it("stops the load when its listener throws, with what it threw", async () => {
    const reason = new Error("enough");
    const onProgress = (): never => {
      throw reason;
    };
    expect(await reasonOf(load(withLength(slowly(5, 1)), { onProgress }))).to.equal(reason);
    expect(await reasonOf(load(new Blob([bytes]), { onProgress }))).to.equal(reason);
  });
});

describe("A load that is given up", () => {
  /** How long after the signal the load ends, and in what. */
  async function giveUp(
    source: Parameters<typeof load>[0],
    after: number,
    reason?: unknown,
  ): Promise<{ took: number; reason: unknown }> {
    const controller = new AbortController();
    const done = reasonOf(load(source, { signal: controller.signal }));
    await new Promise((resolve) => setTimeout(resolve, after));
    const began = performance.now();
    controller.abort(reason);
    const ended = await done;
    return { took: performance.now() - began, reason: ended };
  }

  it("before it began rejects at once", async () => {
    const signal = AbortSignal.abort();
    expect(await reasonOf(load(bytes, { signal }))).to.equal(signal.reason);
  });

  it("ends with an AbortError, and lets go of the body", async () => {
    let isCancelled = false;
    const body = new ReadableStream({ cancel: () => void (isCancelled = true) });
    const { took, reason } = await giveUp(new Response(body), 20);
    expect((reason as Error).name).to.equal("AbortError");
    expect(took).to.be.below(100);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isCancelled).to.be.true;
  });

  it("ends with the reason that was given", async () => {
    expect((await giveUp(new Response(slowly(100, 10)), 20, "why not")).reason).to.equal("why not");
  });

  it("ends while a member is inflated", async () => {
    const { took, reason } = await giveUp(await makeNpz(100_000_000), 10);
    expect((reason as Error).name).to.equal("AbortError");
    expect(took).to.be.below(100);
  });

  const WORK: Record<string, () => Uint8Array> = {
    "a transposed array is put row-major": () => makeNpy("|u1", true, 5000, 12_000),
    "big-endian words are turned round": () => makeNpy(">i2", false, 5000, 12_000),
    "a long pickle is read": () => makeLegacy(4e6),
  };
  for (const [name, make] of Object.entries(WORK)) {
    it(`ends while ${name}`, async () => {
      const { reason } = await giveUp(make(), 30);
      expect((reason as Error).name).to.equal("AbortError");
    });
  }

  it("lets others have a turn after each stretch of work, however many work", async () => {
    const task = new LoadTask();
    let turns = 0;
    let isDone = false;
    const others = async (): Promise<void> => {
      for (; !isDone; turns += 1) await nextTurn();
    };
    const stretches: number[] = [];
    const work = async (): Promise<void> => {
      for (let i = 0; i < 3; i += 1) {
        const turn = task.breathe();
        if (turn) await turn;
        stretches.push(turns);
        for (const began = performance.now(); performance.now() < began + 30;);
      }
    };
    const waiting = others();
    await Promise.all([1, 2, 3, 4].map(work));
    isDone = true;
    await waiting;
    const different = new Set(stretches).size;
    // WebKit once let the second one go before the others, who had asked first.
    if (inSafari) expect(different, String(stretches)).to.be.at.least(11);
    else expect(different, String(stretches)).to.equal(12);
  });

  it("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    await load(bytes, { signal });
    await load(new Blob([bytes]), { signal });
    expect(listeners).to.equal(0);
  });
});

/** An .npy of zeros. */
function makeNpy(descr: string, isFortran: boolean, ...shape: number[]): Uint8Array<ArrayBuffer> {
  const order = isFortran ? "True" : "False";
  const dict = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape.join()},), }`;
  const array = new Uint8Array(128 + Number(descr[2]) * shape.reduce((a, b) => a * b));
  array.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  array.set(new TextEncoder().encode(`${dict.padEnd(117)}\n`), 10);
  return array;
}

/** What torch ≤ 1.5 wrote, of a list of `count` ones. */
function makeLegacy(count: number): Uint8Array {
  const magic = [
    0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ];
  const head = [...magic, 0x80, 2, 0x4d, 0xe9, 3, 0x2e, 0x80, 2, 0x7d, 0x2e, 0x80, 2, 0x5d];
  const bytes = new Uint8Array(head.length + 3 * count + 5);
  bytes.set(head);
  for (let i = 0; i < count; i += 1) bytes.set([0x4b, 1, 0x61], head.length + 3 * i);
  bytes.set([0x2e, 0x80, 2, 0x5d, 0x2e], bytes.length - 5);
  return bytes;
}

/** An .npz of one compressed array of `count` zeros. */
async function makeNpz(count: number): Promise<Uint8Array> {
  const array = makeNpy("|u1", false, count);
  const size = array.length;
  const stream = new Blob([array]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const name = new TextEncoder().encode("a.npy");
  const record = (signature: number, length: number, fields: [at: number, value: number][]) => {
    const view = new DataView(new ArrayBuffer(length));
    view.setUint32(0, signature, true);
    for (const [at, value] of fields) view.setUint32(at, value, true);
    return new Uint8Array(view.buffer);
  };
  // prettier-ignore
  const local = record(0x04034b50, 30, [[8, 8], [18, packed.length], [22, size], [26, name.length]]);
  // prettier-ignore
  const central = record(0x02014b50, 46, [[10, 8], [20, packed.length], [24, size], [28, name.length]]);
  const start = local.length + name.length + packed.length;
  // prettier-ignore
  const end = record(0x06054b50, 22, [[8, 0x10001], [12, central.length + name.length], [16, start]]);
  return joinBytes(local, name, packed, central, name, end);
}
