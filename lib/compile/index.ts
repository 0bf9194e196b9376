export { compile, type Compiled, type CompileOptions } from "./compile.js";
export type { Profile, ProfileRow } from "./profile.js";
export { TraceError } from "./recorder.js";
export type { Explanation } from "./report.js";
export { setThreads } from "./threads.js";
export { trace, type Traceable } from "./trace.js";
export type { Precision } from "./precision.js";
