/**
 * Reads ZIP archives by their directory, so that single members can be read.
 *
 * ZIP libraries for JavaScript need the whole archive, or do not tell where a member is. The
 * platform decompresses.
 *
 * Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import type { ByteSource } from "./byte-source.js";
import { crc32 } from "./crc32.js";
import { CheckpointError } from "./errors.js";
import { inflate, inflateHead } from "./inflate.js";

const END = 0x06054b50;
const END_64_LOCATOR = 0x07064b50;
const END_64 = 0x06064b50;
const MEMBER = 0x02014b50;
const LOCAL = 0x04034b50;
/** The end record with the longest possible comment. */
const TAIL = 22 + 65535;
const STORED = 0;
const DEFLATED = 8;
/** Beyond this many bytes, the uncompressed size must be in proportion to the size of the file. */
const FREE = 2 ** 28;
const MAX_RATIO = 200;
/** The size of a read that contains most local headers and the first bytes of the member. */
const HEAD = 1024;
/**
 * Large members are read in pieces, and the checksum of each is computed while the next ones
 * arrive.
 */
const PIECE = 4 * 2 ** 20;

export interface ZipMember {
  name: string;
  method: number;
  isEncrypted: boolean;
  /** The checksum of the uncompressed bytes; 0 if the writer did not compute it. */
  crc: number;
  /** The compressed and uncompressed size. */
  packedSize: number;
  size: number;
  /** The offset of its local header. */
  header: number;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class ZipArchive {
  /** For each local header, the latest possible end of the member: where the next one begins. */
  private readonly ends = new Map<number, number>();
  private unpacked = 0;

  private constructor(
    private readonly source: ByteSource,
    readonly members: ReadonlyMap<string, ZipMember>,
    directory: number,
    /** The last bytes of the file, which were read with the directory. */
    private readonly tail: Uint8Array,
  ) {
    const headers = [...members.values()].map(({ header }) => header);
    headers.sort((a, b) => a - b);
    headers.forEach((header, i) => this.ends.set(header, headers[i + 1] ?? directory));
  }

  /** Reads the directory, but no members. */
  static async open(source: ByteSource): Promise<ZipArchive> {
    const { offset, count, bytes, tail } = await findDirectory(source);
    return new ZipArchive(source, readDirectory(bytes, count, offset, source), offset, tail);
  }

  /**
   * Tells that the members with this prefix will be read: if they are most of the file, it is read
   * ahead.
   */
  readAhead(prefix: string): void {
    const wanted = [...this.members.values()].filter(({ name }) => name.startsWith(prefix));
    const size = wanted.reduce((sum, { packedSize }) => sum + packedSize, 0);
    if (2 * size >= this.source.size) this.source.readAhead?.();
  }

  /** The uncompressed bytes of a member; its checksum is verified. */
  async read(member: ZipMember): Promise<Uint8Array> {
    const { pieces, whole } = await this.readPacked(member);
    if (member.method !== STORED) {
      const bytes = await this.unpack(member, await whole);
      await this.checkSum(member, cut(bytes));
      return bytes;
    }
    await this.checkSum(member, pieces);
    return whole;
  }

  private async checkSum(
    member: ZipMember,
    pieces: Iterable<Uint8Array | Promise<Uint8Array>>,
  ): Promise<void> {
    if (member.crc === 0) return; // torch.serialization.set_crc32_options(False)
    let crc = 0;
    for (const piece of pieces) {
      crc = crc32(await piece, crc);
      await this.source.task?.breathe();
    }
    if (crc !== member.crc) throw this.error(member, "is damaged: its checksum disagrees");
  }

  /** The first `count` bytes of a member, or all; the checksum is not verified. */
  async head(member: ZipMember, count: number): Promise<Uint8Array> {
    const size = Math.min(count, member.size);
    let length = HEAD + 2 * member.name.length;
    for (;;) {
      const packed = await (await this.readPacked(member, length)).whole;
      const isAll = packed.length === member.packedSize;
      const bytes =
        member.method === STORED ? packed.subarray(0, size) : await inflateHead(packed, size);
      if (bytes.length === size) return bytes;
      if (isAll) throw this.error(member, "cannot be unpacked");
      length *= 8;
    }
  }

  private checkMethod(member: ZipMember): void {
    const { method, size, packedSize } = member;
    if (member.isEncrypted) throw this.error(member, "is encrypted");
    if (method === STORED && size !== packedSize) {
      throw this.error(member, `is stored, but as ${packedSize} bytes instead of ${size}`);
    }
    if (method === STORED) return;
    if (method !== DEFLATED) {
      throw this.error(member, `is compressed by method ${method}; 0 and 8 are read`);
    }
    // Deflate cannot compress better than 1032 : 1, so that a larger size is wrong.
    if (size > packedSize * 1032 + 64) {
      throw this.error(member, `claims ${size} bytes out of ${packedSize}`);
    }
  }

  private async unpack(member: ZipMember, packed: Uint8Array): Promise<Uint8Array> {
    const { task, size } = this.source;
    this.unpacked += member.size;
    if (this.unpacked > FREE + MAX_RATIO * size) {
      const message = `and those before it unpack to ${this.unpacked} bytes, out of ${size}`;
      throw this.error(member, message);
    }
    try {
      return await inflate(packed, member.size, task);
    } catch (error) {
      task?.signal.throwIfAborted();
      throw this.error(member, `cannot be unpacked: ${(error as Error).message}`);
    }
  }

  /**
   * All compressed bytes of a member, or at most `most`, read together with its local header,
   * because each read takes time over a network.
   */
  private async readPacked(member: ZipMember, most = Infinity): Promise<Packed> {
    this.checkMethod(member);
    const { header, packedSize } = member;
    const end = Math.min(this.ends.get(header)!, this.source.size);
    if (header + 30 > end) throw this.error(member, "lies behind the end");
    const last = Math.min(end, header + most);
    const readAt = this.readerFrom(header);
    const read: Promise<Uint8Array>[] = [];
    for (let at = header; at < last; at += PIECE) {
      read.push(readAt(at, Math.min(at + PIECE, last)));
    }
    const all = Promise.all(read);
    all.catch(() => undefined); // errors are reported to whoever waits for a piece
    const view = viewOf(await read[0]!);
    if (view.getUint32(0, true) !== LOCAL) throw this.error(member, "has no local header");
    const begin = 30 + view.getUint16(26, true) + view.getUint16(28, true);
    const stop = begin + packedSize;
    // If only the head is read now, the rest will be read later.
    if (packedSize > most) this.source.alignAt?.(header + begin);
    if (header + stop > end) {
      throw this.error(member, `is cut off: it should end at byte ${header + stop}`);
    }
    const pieces = read.map(async (piece, i) => {
      const at = i * PIECE;
      return (await piece).subarray(Math.max(begin - at, 0), Math.max(stop - at, 0));
    });
    const whole = Promise.all(pieces).then(join);
    whole.catch(() => undefined);
    return { pieces, whole };
  }

  /** Reads a member that begins there: from one buffer, so that it need not be copied. */
  private readerFrom(header: number): ByteSource["read"] {
    const { tail, source } = this;
    const start = source.size - tail.length;
    if (header < start) return (begin, end) => source.read(begin, end);
    return (begin, end) => Promise.resolve(tail.subarray(begin - start, end - start));
  }

  private error(member: ZipMember, problem: string): CheckpointError {
    return new CheckpointError(`the member '${member.name}' of the ZIP archive ${problem}`, {
      file: this.source.name,
      offset: member.header,
    });
  }
}

/** The compressed bytes of a member, as pieces in order. */
interface Packed {
  pieces: Promise<Uint8Array>[];
  whole: Promise<Uint8Array>;
}

function* cut(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** Pieces that are adjacent in one buffer are joined without copying. */
function join(pieces: Uint8Array[]): Uint8Array {
  const [first] = pieces as [Uint8Array];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  let at = first.byteOffset;
  const isOne = pieces.every(({ buffer, byteOffset, length: size }) => {
    const follows = size === 0 || (buffer === first.buffer && byteOffset === at);
    at += size;
    return follows;
  });
  if (isOne) return new Uint8Array(first.buffer, first.byteOffset, length);
  const joined = new Uint8Array(length);
  at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

interface Directory {
  offset: number;
  size: number;
  count: number;
}

interface DirectoryBytes extends Directory {
  bytes: Uint8Array;
  /** The last bytes of the file. */
  tail: Uint8Array;
}

async function findDirectory(source: ByteSource): Promise<DirectoryBytes> {
  const start = Math.max(0, source.size - TAIL);
  const tail = await source.read(start, source.size);
  // Usually it is among the bytes that have been read.
  const read = (begin: number, end: number): Uint8Array | Promise<Uint8Array> =>
    begin >= start ? tail.subarray(begin - start, end - start) : source.read(begin, end);
  const view = viewOf(tail);
  for (let at = tail.length - 22; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== END || at + 22 + view.getUint16(at + 20, true) > tail.length) {
      continue;
    }
    let directory: Directory = {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
    };
    // If there is one, it is used, as in PyTorch and Python.
    if (at >= 20 && view.getUint32(at - 20, true) === END_64_LOCATOR) {
      const record = await readEnd64(source, Number(view.getBigUint64(at - 12, true)), read);
      directory = record ?? directory;
    }
    const { offset, size, count } = directory;
    if (offset + size <= start + at && count * 46 <= size) {
      return { ...directory, bytes: await read(offset, offset + size), tail };
    }
  }
  throw new CheckpointError("a ZIP archive without its directory: the file is cut off or damaged", {
    file: source.name,
    offset: source.size,
  });
}

/** Null if there is no such record. */
async function readEnd64(
  source: ByteSource,
  at: number,
  read: (begin: number, end: number) => Uint8Array | Promise<Uint8Array>,
): Promise<Directory | null> {
  const fail = (what: string): never => {
    throw new CheckpointError(`a ZIP64 archive ${what}`, { file: source.name, offset: at });
  };
  if (!Number.isSafeInteger(at) || at + 56 > source.size) return fail("without its end record");
  const view = viewOf(await read(at, at + 56));
  if (view.getUint32(0, true) !== END_64) return null;
  if (view.getBigUint64(4, true) < 44n) fail("whose end record is damaged");
  const isWhole =
    view.getBigUint64(16, true) === 0n &&
    view.getBigUint64(24, true) === view.getBigUint64(32, true);
  if (!isWhole) fail("of which a part is elsewhere: archives of several disks are not read");
  return {
    count: Number(view.getBigUint64(32, true)),
    size: Number(view.getBigUint64(40, true)),
    offset: Number(view.getBigUint64(48, true)),
  };
}

function readDirectory(
  bytes: Uint8Array,
  count: number,
  offset: number,
  { name: file }: ByteSource,
): Map<string, ZipMember> {
  const fail = (at: number): never => {
    const message = "the directory of the ZIP archive is damaged";
    throw new CheckpointError(message, { file, offset: at });
  };
  const members = new Map<string, ZipMember>();
  const headers = new Set<number>();
  const view = viewOf(bytes);
  const decoder = new TextDecoder();
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== MEMBER) fail(offset + at);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const name = decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const member: ZipMember = {
      name,
      method: view.getUint16(at + 10, true),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      crc: view.getUint32(at + 16, true),
      packedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      header: view.getUint32(at + 42, true),
    };
    if (members.has(name)) {
      throw new CheckpointError(`the ZIP archive has two members '${name}'`, { file });
    }
    members.set(name, readZip64(member, extra));
    if (headers.has(member.header)) {
      throw new CheckpointError(`two members of the ZIP archive lie at byte ${member.header}`, {
        file,
        offset: member.header,
      });
    }
    headers.add(member.header);
    at += 46 + nameLength + extraLength + view.getUint16(at + 32, true);
  }
  // Entries that the count does not include would be silently missing.
  if (at !== bytes.length) fail(offset + at);
  return members;
}

/** Values that do not fit in 32 bits are in an extra field, in this order. */
function readZip64(member: ZipMember, extra: Uint8Array): ZipMember {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let field = at + 4;
    const end = Math.min(extra.length, field + view.getUint16(at + 2, true));
    for (const key of ["size", "packedSize", "header"] as const) {
      if (member[key] !== 0xffffffff || field + 8 > end) continue;
      member[key] = Number(view.getBigUint64(field, true));
      field += 8;
    }
  }
  return member;
}
