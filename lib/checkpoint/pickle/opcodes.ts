import type { Machine } from "./machine.js";

type Step = (machine: Machine) => void;

/** All opcodes but the text ones of protocols 0 and 1, extensions, and out-of-band buffers. */
const STEPS: Record<string, [code: number, step: Step]> = {
  // As in PyTorch, the declared protocol version is ignored: the opcodes decide.
  proto: [0x80, (m) => void m.uint8()],
  frame: [0x95, (m) => void m.uint64()],

  none: [0x4e, (m) => m.push(null)],
  newTrue: [0x88, (m) => m.push(true)],
  newFalse: [0x89, (m) => m.push(false)],
  binInt: [0x4a, (m) => m.push(m.int32())],
  binInt1: [0x4b, (m) => m.push(m.uint8())],
  binInt2: [0x4d, (m) => m.push(m.uint16())],
  long1: [0x8a, (m) => m.push(m.integer(m.uint8()))],
  long4: [0x8b, (m) => m.push(m.integer(m.uint32()))],
  binFloat: [0x47, (m) => m.push(m.float64())],

  binString: [0x54, (m) => m.push(m.oldText(m.uint32()))],
  shortBinString: [0x55, (m) => m.push(m.oldText(m.uint8()))],
  shortBinUnicode: [0x8c, (m) => m.push(m.text(m.uint8()))],
  binUnicode: [0x58, (m) => m.push(m.text(m.uint32()))],
  binUnicode8: [0x8d, (m) => m.push(m.text(m.uint64()))],
  shortBinBytes: [0x43, (m) => m.push(m.data(m.uint8()))],
  binBytes: [0x42, (m) => m.push(m.data(m.uint32()))],
  binBytes8: [0x8e, (m) => m.push(m.data(m.uint64()))],
  byteArray8: [0x96, (m) => m.push(m.data(m.uint64()))],

  emptyList: [0x5d, (m) => m.push([])],
  list: [0x6c, (m) => m.push(m.popToMark())],
  append: [0x61, (m) => m.addValues([m.pop()])],
  appends: [0x65, (m) => m.addValues(m.popToMark())],
  emptyTuple: [0x29, (m) => m.push([])],
  tuple: [0x74, (m) => m.push(m.popToMark())],
  tuple1: [0x85, (m) => m.push([m.pop()])],
  tuple2: [0x86, (m) => m.push(popLast(m, 2))],
  tuple3: [0x87, (m) => m.push(popLast(m, 3))],
  emptyDict: [0x7d, (m) => m.push(new Map())],
  dict: [0x64, makeDict],
  setItem: [0x73, (m) => m.addItems(popLast(m, 2))],
  setItems: [0x75, (m) => m.addItems(m.popToMark())],
  emptySet: [0x8f, (m) => m.push(new Set())],
  addItems: [0x90, (m) => m.addMembers(m.popToMark())],
  frozenSet: [0x91, (m) => m.push(new Set(m.popToMark()))],

  mark: [0x28, (m) => m.mark()],
  pop: [0x30, (m) => m.drop()],
  popMark: [0x31, (m) => void m.popToMark()],
  dup: [0x32, (m) => m.push(m.top())],
  binGet: [0x68, (m) => m.recall(m.uint8())],
  longBinGet: [0x6a, (m) => m.recall(m.uint32())],
  binPut: [0x71, (m) => void m.memo.set(m.uint8(), m.top())],
  longBinPut: [0x72, (m) => void m.memo.set(m.uint32(), m.top())],
  memoize: [0x94, (m) => void m.memo.set(m.memo.size, m.top())],

  global: [0x63, (m) => m.global(m.line(), m.line())],
  stackGlobal: [0x93, (m) => m.global(...(popLast(m, 2) as [unknown, unknown]))],
  newObject: [0x81, (m) => m.create(...(popLast(m, 2) as [unknown, unknown]))],
  newObjectEx: [0x92, makeObjectWithKeywords],
  object: [0x6f, makeOldObject],
  reduce: [0x52, (m) => m.call(...(popLast(m, 2) as [unknown, unknown]))],
  build: [0x62, (m) => m.build(m.pop())],
  binPersistentId: [0x51, (m) => m.persistent(m.pop())],
};

export const OPCODES: ReadonlyMap<number, Step> = new Map(Object.values(STEPS));

/** The top values, the lowest first. */
function popLast(machine: Machine, count: number): unknown[] {
  const values = Array.from({ length: count }, () => machine.pop());
  return values.reverse();
}

function makeDict(machine: Machine): void {
  const pairs = machine.popToMark();
  machine.push(new Map());
  machine.addItems(pairs);
}

function makeObjectWithKeywords(machine: Machine): void {
  const [target, args, keywords] = popLast(machine, 3);
  machine.create(target, [args, keywords]);
}

function makeOldObject(machine: Machine): void {
  const [target, ...args] = machine.popToMark();
  machine.create(target, args);
}
