/** Bytes that can be viewed as words of that size: moved once, not for every tensor. */
export function align(bytes: Uint8Array, word: number): Uint8Array {
  return bytes.byteOffset % word === 0 ? bytes : bytes.slice();
}

/**
 * Tensors of one storage share its bytes: they are read once, and again only if nobody has kept
 * them, so that a file can be gone through tensor by tensor without piling up.
 */
export function whileUsed(read: () => Promise<Uint8Array>): () => Promise<Uint8Array> {
  let kept: WeakRef<ArrayBufferLike> | undefined;
  let range = { at: 0, length: 0 };
  let pending: Promise<Uint8Array> | undefined;

  const start = async (): Promise<Uint8Array> => {
    try {
      const bytes = await read();
      // Views of the bytes keep their buffer, not each other.
      kept = new WeakRef(bytes.buffer);
      range = { at: bytes.byteOffset, length: bytes.length };
      return bytes;
    } finally {
      pending = undefined;
    }
  };

  return () => {
    const buffer = kept?.deref();
    if (buffer) return Promise.resolve(new Uint8Array(buffer, range.at, range.length));
    return (pending ??= start());
  };
}
