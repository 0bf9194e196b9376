/**
 * The program of a worker, as text: it takes part in the programs of `Threads`.
 *
 * A program is a list of doubles. First the modules: their count, and for each its number and the
 * address and length of its bytes. Then the steps: their count, and for each the count of its
 * calls, and for each call the module and the arguments, preceded by their count. A negative
 * program number means that the program is dropped.
 */
export const WORKER_SOURCE = `({ memory, control, thread, count, spins, sleep }, post) => {
  const [ARRIVED, JOB, PROGRAM, ADDRESSES] = [0, 16, 17, 32];
  const state = new Int32Array(memory.buffer, control, ADDRESSES + 32);
  const modules = new Map();
  const programs = new Map();
  const load = (address) => {
    let at = address / 8;
    const words = new Float64Array(memory.buffer);
    const next = () => words[at++];
    for (let n = next(); n > 0; n -= 1) {
      const [id, from, length] = [next(), next(), next()];
      if (modules.has(id)) continue;
      const bytes = new Uint8Array(memory.buffer, from, length).slice();
      const imports = { env: { memory }, math: Math };
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
      modules.set(id, exports[""]);
    }
    return Array.from({ length: next() }, () =>
      Array.from({ length: next() }, () => {
        const call = modules.get(next());
        return { call, args: Array.from({ length: next() }, next) };
      }),
    );
  };
  let barriers = 0;
  const meet = () => {
    barriers = (barriers + count) | 0;
    let arrived = (Atomics.add(state, ARRIVED, 1) + 1) | 0;
    if (arrived === barriers) {
      Atomics.notify(state, ARRIVED);
      return;
    }
    for (let i = 0; ((arrived - barriers) | 0) < 0; i += 1) {
      if (i > spins) Atomics.wait(state, ARRIVED, arrived, sleep);
      arrived = Atomics.load(state, ARRIVED);
    }
  };
  post("ready");
  for (let job = 0; ; ) {
    for (let i = 0; Atomics.load(state, JOB) === job; i += 1) {
      if (i > 10 * spins) Atomics.wait(state, JOB, job);
    }
    job = (job + 1) | 0;
    const id = Atomics.load(state, PROGRAM);
    if (id < 0) {
      programs.delete(-id);
      meet();
      continue;
    }
    if (!programs.has(id)) programs.set(id, load(state[ADDRESSES + thread] >>> 0));
    for (const step of programs.get(id)) {
      for (const { call, args } of step) call(...args);
      meet();
    }
  }
}`;
