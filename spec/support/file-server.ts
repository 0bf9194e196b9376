/** A web server for the specs of sources (Node only): files, each with the faults that a case needs. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

export interface ServedFile {
  bytes: Uint8Array;
  /** Whether range requests are answered with ranges. Default: true. */
  ranges?: boolean;
  etag?: string;
  lastModified?: string;
  headers?: Record<string, string>;
  /** Answers instead of the file. */
  status?: number;
  /** How many answers longer than 64 KB break off, and after how many bytes. */
  drops?: number;
  dropAfter?: number;
  /** No Content-Length. */
  chunked?: boolean;
  gzip?: boolean;
  /** What Content-Length says, whatever comes. */
  announced?: number;
  /** Milliseconds before an answer. */
  delay?: number;
  /** Called before each answer; may change the file. */
  onRequest?: (request: Served) => void;
}

export interface Served {
  path: string;
  range: string | undefined;
  ifRange: string | undefined;
  /** Bytes of body that were sent. */
  sent: number;
}

export class FileServer {
  readonly files = new Map<string, ServedFile>();
  readonly requests: Served[] = [];
  /** The most answers that were under way at a time. */
  peak = 0;
  private active = 0;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  static async start(): Promise<FileServer> {
    const made = new FileServer();
    await new Promise<void>((resolve) => made.server.listen(0, "127.0.0.1", resolve));
    return made;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  /** Serves a file at a path; gives its URL. */
  serve(path: string, file: Uint8Array | ServedFile): string {
    this.files.set(`/${path}`, file instanceof Uint8Array ? { bytes: file } : file);
    return `${this.origin}/${path}`;
  }

  reset(): void {
    this.files.clear();
    this.requests.length = 0;
    this.peak = 0;
  }

  sent(): number {
    return this.requests.reduce((sum, { sent }) => sum + sent, 0);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url!, this.origin).pathname;
    const { range, "if-range": ifRange } = request.headers;
    const served: Served = { path, range, ifRange: ifRange as string | undefined, sent: 0 };
    this.requests.push(served);
    this.active += 1;
    this.peak = Math.max(this.peak, this.active);
    response.on("close", () => (this.active -= 1));
    this.files.get(path)?.onRequest?.(served);
    const file = this.files.get(path);
    if (file?.delay) await new Promise((resolve) => setTimeout(resolve, file.delay));
    if (!file || (file.status && file.status !== 200)) {
      response.writeHead(file?.status ?? 404, file?.headers).end(file?.bytes ?? "not here");
      return;
    }
    this.send(file, served, response);
  }

  private send(file: ServedFile, served: Served, response: ServerResponse): void {
    const { bytes, etag, lastModified, ranges = true } = file;
    const headers: Record<string, string | number> = { ...file.headers };
    if (etag) headers.etag = etag;
    if (lastModified) headers["last-modified"] = lastModified;
    const asked = /^bytes=(\d+)-(\d*)$/.exec(served.range ?? "");
    const isCurrent = [undefined, etag, lastModified].includes(served.ifRange);
    let body = bytes;
    let status = 200;
    if (ranges && asked && isCurrent) {
      const begin = Number(asked[1]);
      const end = asked[2] ? Math.min(Number(asked[2]) + 1, bytes.length) : bytes.length;
      if (begin >= bytes.length) {
        response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
        return;
      }
      headers["content-range"] = `bytes ${begin}-${end - 1}/${bytes.length}`;
      body = bytes.subarray(begin, end);
      status = 206;
    }
    if (file.gzip) {
      headers["content-encoding"] = "gzip";
      body = gzipSync(body);
    }
    if (!file.chunked) headers["content-length"] = file.announced ?? body.length;
    response.strictContentLength = false;
    response.writeHead(status, headers);
    const isDropped = body.length > 65536 && (file.drops ?? 0) > 0;
    const content = isDropped ? body.subarray(0, file.dropAfter ?? 100_000) : body;
    served.sent = content.length;
    if (isDropped) file.drops! -= 1;
    const isShort = file.announced !== undefined && file.announced > body.length;
    if (!isDropped && !isShort) response.end(content);
    // What was written has to leave before the connection goes.
    else response.write(content, () => setTimeout(() => response.destroy(), 5));
  }
}
