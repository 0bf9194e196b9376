/** An app's page: Vite finds the worker by the form of `new Worker(new URL(…))`. */
import { useModel } from "../page.js";

const worker = new Worker(new URL("./model.ts", import.meta.url), { type: "module" });
Object.assign(globalThis, { seen: useModel(worker) });
