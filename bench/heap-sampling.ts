import type { Page } from "playwright-core";

interface SamplingNode {
  selfSize: number;
  children: readonly SamplingNode[];
}

const sum = ({ selfSize, children }: SamplingNode): number =>
  children.reduce((bytes, child) => bytes + sum(child), selfSize);

/**
 * Lets a page ask what it allocates, `startSampling()` and `stopSampling()`: the bytes of all objects,
 * also of those that were collected meanwhile. Where an ArrayBuffer's numbers lie is not among them.
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
