import type { Page } from "playwright-core";

interface SamplingNode {
  selfSize: number;
  children: readonly SamplingNode[];
}

const sum = ({ selfSize, children }: SamplingNode): number =>
  children.reduce((bytes, child) => bytes + sum(child), selfSize);

/**
 * Gives a page `startSampling()` and `stopSampling()`, which count the bytes of allocated
 * JavaScript objects, garbage included. The contents of ArrayBuffers are not counted.
 */
export async function samplingHeap(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await page.exposeFunction("startSampling", () =>
    session.send("HeapProfiler.startSampling", {
      samplingInterval: 1024,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    }),
  );
  await page.exposeFunction("stopSampling", async () => {
    const { profile } = await session.send("HeapProfiler.stopSampling");
    return sum(profile.head);
  });
}
