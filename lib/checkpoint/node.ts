/** Node's modules, if this is Node; bundles for browsers contain no import of them. */
import type * as NodeCrypto from "node:crypto";
import type * as NodeFiles from "node:fs";
import type * as NodeFs from "node:fs/promises";
import type * as NodeOs from "node:os";
import type * as NodePath from "node:path";
import type * as NodeUrl from "node:url";
import type * as NodeZlib from "node:zlib";

export const isNode = typeof process === "object" && process.versions?.node !== undefined;

export const node = {
  crypto: (): typeof NodeCrypto => process.getBuiltinModule("node:crypto"),
  files: (): typeof NodeFiles => process.getBuiltinModule("node:fs"),
  fs: (): typeof NodeFs => process.getBuiltinModule("node:fs/promises"),
  os: (): typeof NodeOs => process.getBuiltinModule("node:os"),
  path: (): typeof NodePath.posix => process.getBuiltinModule("node:path"),
  url: (): typeof NodeUrl => process.getBuiltinModule("node:url"),
  zlib: (): typeof NodeZlib => process.getBuiltinModule("node:zlib"),
};
