/** A worker that tells how many of its calls were under way at once. */
import { expose } from "sconce/worker";

let underWay = 0;
let most = 0;

const call = async (): Promise<number> => {
  underWay += 1;
  most = Math.max(most, underWay);
  await new Promise((resolve) => setTimeout(resolve, 20));
  underWay -= 1;
  return most;
};

/** What a compiled model offers, a module with a method of that name, and a plain function. */
const kinds: Record<string, () => unknown> = {
  compiled: Object.assign(() => 0, { run: call }),
  module: Object.assign(() => call(), { forward: call, run: () => -1 }),
  plain: call,
};
expose(() => kinds[process.argv[2]!]!);
