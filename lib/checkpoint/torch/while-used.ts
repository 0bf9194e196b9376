/**
 * Bytes that can be viewed as words of that size: copied once if necessary, not for every tensor.
 */
export function align(bytes: Uint8Array, word: number): Uint8Array {
  return bytes.byteOffset % word === 0 ? bytes : bytes.slice();
}

/**
 * Shares bytes among the tensors of one storage: they are read once, and again only if no tensor
 * has kept them, so that a file can be processed tensor by tensor without filling memory.
 */
export function whileUsed(read: () => Promise<Uint8Array>): () => Promise<Uint8Array> {
  let kept: WeakRef<ArrayBufferLike> | undefined;
  let range = { at: 0, length: 0 };
  let pending: Promise<Uint8Array> | undefined;

  const start = async (): Promise<Uint8Array> => {
    try {
      const bytes = await read();
      // Views keep the buffer of the bytes alive, not the array.
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
