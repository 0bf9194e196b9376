/** Where in a checkpoint something is wrong, as far as it is known. */
export interface CheckpointPlace {
  /** The path or URL. */
  file?: string;
  /** The byte at which it is. */
  offset?: number;
  /** The tensor whose reading failed. */
  key?: string;
  cause?: unknown;
}

/** The one error that reading a checkpoint throws. */
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

/** What runs, its errors with the name of the file. */
export async function placed<T>(file: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.file !== undefined) throw error;
    const { offset, key, cause } = error;
    throw new CheckpointError(error.message, { file, offset, key, cause });
  }
}
