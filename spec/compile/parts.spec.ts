import { expect } from "chai";
import { atOnce, inTurns, type Parts } from "../../lib/compile/parts.js";

/** Keeps the thread busy for longer than work goes on without a pause. */
function toil(): void {
  const began = performance.now();
  while (performance.now() - began < 8);
}

function* work(done: string[]): Parts<string> {
  for (const part of ["a", "b", "c"]) {
    toil();
    done.push(part);
    yield;
  }
  return done.join("");
}

describe("Work in parts", () => {
  it("lets others have their turn after each long part, outside of what is around it", async () => {
    const done: string[] = [];
    let depth = 0;
    const around = <R>(run: () => R): R => {
      depth += 1;
      const result = run();
      depth -= 1;
      return result;
    };
    let isOver = false;
    const other = (): void => {
      if (isOver) return;
      expect(depth).to.equal(0);
      if (done.at(-1) !== "page") done.push("page");
      setTimeout(other);
    };
    setTimeout(other);
    // Timers wait for each other; `scheduler.yield` lets input and painting go first, not them.
    const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve));
    const result = await inTurns(work(done), around, pause);
    isOver = true;
    expect(result.replaceAll("page", "")).to.equal("abc");
    expect(result).to.contain("page");
  });

  it("is done in one go where nobody waits", () => {
    expect(atOnce(work([]))).to.equal("abc");
  });

  it("fails as the work does", async () => {
    // eslint-disable-next-line require-yield -- it fails before
    function* failing(): Parts<void> {
      throw new RangeError("no");
    }
    expect(() => atOnce(failing())).to.throw("no");
    const error = await inTurns(failing()).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(RangeError);
  });
});
