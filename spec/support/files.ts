/** Whether these specs run in a browser (karma serves the project at `/base`). */
export const inBrowser = typeof window === "object" && typeof document === "object";

export const inNode = !inBrowser;

/** WebKit, on a desktop. */
export const inSafari = inBrowser && navigator.userAgent.includes(" Version/");

/** The bytes of a file, its path relative to the spec folder, or absolute. */
export async function readFixture(path: string): Promise<Uint8Array> {
  if (inBrowser) {
    const response = await fetch(`${path.startsWith("/") ? "/absolute" : "/base/spec/"}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  }
  const { readFile } = await import("node:fs/promises");
  const file = path.startsWith("/") ? path : new URL(`../${path}`, import.meta.url);
  return new Uint8Array(await readFile(file));
}

export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await readFixture(path))) as T;
}
