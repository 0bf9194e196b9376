import { type ByteSource, bytesSource } from "../byte-source.js";
import { CheckpointError } from "../errors.js";

/** Where a checkpoint may come from. */
export type CheckpointInput =
  string | URL | Blob | Response | ArrayBuffer | ArrayBufferView | ByteSource;

/** Opens a path, URL, File or Blob, Response, or bytes. */
export async function openSource(input: CheckpointInput): Promise<ByteSource> {
  if (input instanceof ArrayBuffer) return bytesSource(new Uint8Array(input));
  if (ArrayBuffer.isView(input)) {
    return bytesSource(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
  }
  if (typeof Blob === "function" && input instanceof Blob) return openBlob(input);
  if (typeof Response === "function" && input instanceof Response) return openResponse(input);
  if (typeof input === "string" || input instanceof URL) return openLocation(input);
  if (typeof (input as ByteSource | null)?.read === "function") return input as ByteSource;
  throw new TypeError(
    "load: expected a path, URL, File, Blob, Response or bytes, " + `got ${typeof input}`,
  );
}

async function openBlob(blob: Blob): Promise<ByteSource> {
  const name = "name" in blob ? (blob as File).name : "<blob>";
  return bytesSource(new Uint8Array(await blob.arrayBuffer()), name);
}

async function openResponse(response: Response): Promise<ByteSource> {
  const file = response.url || "<response>";
  if (!response.ok) {
    throw new CheckpointError(`the server answered ${response.status} ${response.statusText}`, {
      file,
    });
  }
  try {
    return bytesSource(new Uint8Array(await response.arrayBuffer()), file);
  } catch (cause) {
    throw new CheckpointError(`the download broke off: ${(cause as Error).message}`, {
      file,
      cause,
    });
  }
}

const isNode = typeof process === "object" && process.versions?.node !== undefined;

async function openLocation(location: string | URL): Promise<ByteSource> {
  const text = String(location);
  if (isNode && !/^(https?|blob|data):/i.test(text)) return openPath(location);
  const response = await fetch(location).catch((cause: unknown) => {
    throw new CheckpointError(
      "could not be fetched: there is no connection, or the server does not allow this page (CORS)",
      { file: text, cause },
    );
  });
  return openResponse(response);
}

async function openPath(location: string | URL): Promise<ByteSource> {
  const { readFile } = process.getBuiltinModule("node:fs/promises");
  const { fileURLToPath } = process.getBuiltinModule("node:url");
  const isUrl = location instanceof URL || location.startsWith("file:");
  const path = isUrl ? fileURLToPath(location) : location;
  try {
    return bytesSource(new Uint8Array(await readFile(path)), path);
  } catch (cause) {
    const message = `cannot be read: ${(cause as Error).message}`;
    throw new CheckpointError(message, { file: path, cause });
  }
}
