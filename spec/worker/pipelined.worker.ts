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

// What a compiled model offers, or a plain function.
expose(() => (process.argv[2] === "compiled" ? Object.assign(() => 0, { run: call }) : call));
