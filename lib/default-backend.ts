import { useDefaultBackend } from "./backend.js";

// Without this, `tf.tensor` right after `import * as nn from "sconce"` would find no backend.
await useDefaultBackend();
