/** The place of an error in a checkpoint, as far as known. */
export interface CheckpointPlace {
  /** The path or URL. */
  file?: string;
  /** The offset of the byte in question. */
  offset?: number;
  /** The tensor that could not be read. */
  key?: string;
  cause?: unknown;
}

/** The only error that reading a checkpoint throws. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly key: string | undefined;

  constructor(message: string, { file, offset, key, cause }: CheckpointPlace = {}) {
    super(file === undefined ? message : `${file}: ${message}`, { cause });
    this.file = file;
    this.offset = offset;
    this.key = key;
  }
}

/** Runs something, and adds the name of the file to its errors. */
export async function placed<T>(file: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.file !== undefined) throw error;
    const { offset, key, cause } = error;
    throw new CheckpointError(error.message, { file, offset, key, cause });
  }
}
