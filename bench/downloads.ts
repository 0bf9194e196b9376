/** Kilobytes of the library that a page downloads, bundled by Vite and gzipped, without tfjs. */
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";

const root = `${process.cwd()}/`;
const APP = "virtual:app";

/** The parts that are loaded on demand, with the first module of each one's chunk. */
export const PARTS = {
  "nn.load of .safetensors": ["checkpoint/load.ts"],
  "nn.load of .pt": ["checkpoint/load.ts", "checkpoint/zip.ts", "checkpoint/torch/zip.ts"],
  "the kernels under ops": ["eager/index.ts"],
  "nn.compile on cpu": ["compile/cpu.ts"],
  "kernels that few models need": ["compile/plan/lower-rarely.ts"],
  "nn.compile on webgl": ["compile/webgl.ts"],
  "nn.compile on others": ["compile/others.ts"],
  "nn.loadExported": ["exported/load.ts"],
} satisfies Record<string, readonly string[]>;

export type Part = keyof typeof PARTS;

/** The chunks of an app: those of its start, and those that each part adds. */
export interface Downloads {
  of(...parts: Part[]): number;
  /** Whether the app contains code that loads the part. */
  has(part: Part): boolean;
}

/** Bundles an app with the library's source. `app` is the text of its main module. */
export async function downloadsOf(app: string): Promise<Downloads> {
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    resolve: {
      alias: [
        { find: /^sconce$/, replacement: `${root}lib/index.ts` },
        { find: /^sconce\/(functional|models)$/, replacement: `${root}lib/$1/index.ts` },
      ],
    },
    plugins: [
      {
        name: "app",
        resolveId: (id) => (id === APP ? APP : null),
        load: (id) => (id === APP ? app : null),
      },
    ],
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: {
        input: APP,
        preserveEntrySignatures: "strict",
        external: [/^@tensorflow\//, /^node:/],
      },
    },
  });
  const { output } = (Array.isArray(result) ? result[0] : result) as Rolldown.RolldownOutput;
  const chunks = new Map(
    output.flatMap((one) => (one.type === "chunk" ? [[one.fileName, one]] : [])),
  );
  const sizes = new Map(
    [...chunks].map(([name, { code }]) => [name, gzipSync(code).length / 1000]),
  );
  const entry = [...chunks.values()].find(({ isEntry }) => isEntry)!;
  const chunkOf = (file: string): string | undefined =>
    [...chunks.values()].find(({ moduleIds }) => moduleIds.includes(`${root}lib/${file}`))
      ?.fileName;
  const has = (part: Part): boolean => PARTS[part].every((file) => chunkOf(file) !== undefined);
  const of = (...parts: Part[]): number => {
    const missing = parts.find((part) => !has(part));
    if (missing !== undefined) throw new Error(`the app has no chunk of ${missing}`);
    const loaded = new Set<string>();
    const load = (name: string): void => {
      if (loaded.has(name) || !chunks.has(name)) return;
      loaded.add(name);
      chunks.get(name)!.imports.forEach(load);
    };
    load(entry.fileName);
    for (const file of parts.flatMap((part) => PARTS[part])) load(chunkOf(file)!);
    return [...loaded].reduce((sum, name) => sum + sizes.get(name)!, 0);
  };
  return { of, has };
}

/** An app that uses every name of the library. */
export const EVERYTHING = `export * from "sconce";`;

/** An app that classifies pictures with a compiled model whose weights come from a checkpoint. */
export const CLASSIFIER = `
  import * as nn from "sconce";
  import { resnet18 } from "sconce/models";
  export async function classifier(url, example) {
    const model = nn.meta(() => resnet18());
    model.loadStateDict(await nn.load(url));
    return nn.compile(model, example);
  }
`;
