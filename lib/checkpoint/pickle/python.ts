/**
 * The functions of Python itself that pickles call: makers of plain data, and of objects that are
 * not read.
 */
import { CheckpointError } from "../errors.js";
import { type Builder, type Builders, Global, Placeholder } from "./values.js";

const latin1 = (text: string): Uint8Array => {
  if (/[^\0-\xff]/.test(text)) throw new CheckpointError("bytes that are not bytes");
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
};

const toArray = (values: unknown): unknown[] => {
  if (values === undefined) return [];
  if (Array.isArray(values) || values instanceof Set) return [...(values as Iterable<unknown>)];
  throw new CheckpointError("a list or set of what is no list");
};

/** dict(), dict(another), dict([[key, value], …]). */
const toMap = (values: unknown): Map<unknown, unknown> => {
  if (values instanceof Map) return new Map(values as Map<unknown, unknown>);
  const pairs = toArray(values);
  if (!pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new CheckpointError("a dict of what are no pairs");
  }
  return new Map(pairs as [unknown, unknown][]);
};

const toBytes = (value: unknown): Uint8Array => {
  if (value === undefined) return new Uint8Array();
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return latin1(value);
  throw new CheckpointError("bytes of what are no bytes");
};

/** Protocol 2 stores bytes as text together with its encoding. */
const encode: Builder = (text, encoding) => {
  if (typeof text !== "string" || (encoding !== "latin1" && encoding !== "latin-1")) {
    throw new CheckpointError("it calls _codecs.encode otherwise than for bytes");
  }
  return latin1(text);
};

/**
 * `Dict[str, int]` is pickled as a call. Only for types: for anything else it would be a real call.
 */
const subscript: Builder = (type, args) => {
  if (!(type instanceof Global && type.module === "typing")) {
    throw new CheckpointError("it calls operator.getitem on what is no type");
  }
  return new Placeholder(type.path, args);
};

const typeOf: Builder = (value) => {
  if (value === null) return new Global("builtins", "NoneType");
  throw new CheckpointError("it calls builtins.type on a value");
};

const reconstruct: Builder = (type, ...args) => {
  if (type instanceof Global) return new Placeholder(type.path, args);
  throw new CheckpointError("it makes an object of what is no class");
};

/** Kept as unread placeholders: no checkpoint's tensors depend on them. */
const INERT = [
  ...["complex", "range", "xrange", "slice"].map((name) => `builtins.${name}`),
  ...["datetime", "date", "time", "timedelta", "timezone"].map((name) => `datetime.${name}`),
  ...["Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"].flatMap(
    (name) => [`pathlib.${name}`, `pathlib._local.${name}`],
  ),
  "collections.deque",
  "decimal.Decimal",
  "fractions.Fraction",
  "uuid.UUID",
  "types.SimpleNamespace",
];

export const inert = (path: string): [string, Builder] => [
  path,
  (...args) => new Placeholder(path, args),
];

export const PYTHON_BUILDERS: Builders = new Map<string, Builder>([
  ...INERT.map(inert),
  ["builtins.dict", toMap],
  ["collections.OrderedDict", toMap],
  ["collections.Counter", toMap],
  ["collections.defaultdict", (_factory, values) => toMap(values)],
  ["builtins.list", toArray],
  ["builtins.tuple", toArray],
  ["builtins.set", (values) => new Set(toArray(values))],
  ["builtins.frozenset", (values) => new Set(toArray(values))],
  ["builtins.bytes", toBytes],
  ["builtins.bytearray", toBytes],
  ["builtins.type", typeOf],
  ["_codecs.encode", encode],
  ["_operator.getitem", subscript],
  ["operator.getitem", subscript],
  ["copyreg._reconstructor", reconstruct],
]);
