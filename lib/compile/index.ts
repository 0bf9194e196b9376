export { TraceError } from "./recorder.js";
export { trace, type Traceable } from "./trace.js";
