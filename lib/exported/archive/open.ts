/**
 * Opens the file that `torch.export.save` wrote. There are three layouts: since PyTorch 2.9 one
 * member of raw bytes a weight, in 2.8 the weights as one `torch.save` file in the same archive, and
 * before that four members without a folder.
 */
import { bytesSource, type ByteSource } from "../../checkpoint/byte-source.js";
import type { Entry } from "../../checkpoint/entry.js";
import { CheckpointError } from "../../checkpoint/errors.js";
import { load } from "../../checkpoint/load.js";
import { looksLikeZip } from "../../checkpoint/signs.js";
import { ZipArchive } from "../../checkpoint/zip.js";
import { expectProgram } from "./form.js";
import { readChecked } from "./json.js";
import { readPayloads } from "./payloads.js";
import type { ProgramJson } from "./schema.js";

/** The tensors of one kind, and those that cannot be read, with the reason. */
export interface Payloads {
  /** Each resolves when its bytes have been read. */
  readonly entries: ReadonlyMap<string, Promise<Entry>>;
  /** The keys of values that are not readable tensors → what they are. */
  readonly refused: ReadonlyMap<string, string>;
}

export interface ExportedFile {
  readonly name: string;
  program(): Promise<ProgramJson>;
  weights(): Promise<Payloads>;
  constants(): Promise<Payloads>;
}

/**
 * The schema versions of PyTorch 2.4 (5), 2.5 (7), and 2.6 and later (8). Each only adds to the one
 * before.
 */
const OLDEST_MAJOR = 5;
const CURRENT_MAJOR = 8;

export async function openExported(
  file: ByteSource,
  model: string | undefined,
): Promise<ExportedFile> {
  const fail = (message: string): CheckpointError =>
    new CheckpointError(message, { file: file.name });
  const head = await file.read(0, Math.min(4, file.size));
  if (!looksLikeZip(head)) {
    throw fail("not an exported program: no ZIP archive, which torch.export.save writes");
  }
  const archive = await ZipArchive.open(file);
  const names = [...archive.members.keys()];
  const formatPath = names.find((name) => /^([^/]+\/)?archive_format$/.test(name));
  if (formatPath !== undefined) {
    return openArchive(file, archive, formatPath.slice(0, -"archive_format".length), model);
  }
  if (archive.members.has("serialized_exported_program.json")) return openFlat(file, archive);
  if (names.some((name) => /^[^/]+\/data\.pkl$/.test(name))) {
    throw fail(
      "not an exported program but what torch.save or torch.jit.save wrote: nn.load reads its " +
        "weights; in Python, torch.export.save(torch.export.export(model, args), path) makes one",
    );
  }
  throw fail("not an exported program: the ZIP archive has neither archive_format nor a program");
}

async function openArchive(
  file: ByteSource,
  archive: ZipArchive,
  root: string,
  model: string | undefined,
): Promise<ExportedFile> {
  const format = (await readText(archive, `${root}archive_format`, file)).trim();
  if (format !== "pt2") {
    throw new CheckpointError(`an archive of format '${format.slice(0, 40)}', not 'pt2'`, {
      file: file.name,
    });
  }
  const name = chooseModel(archive, root, model, file);
  archive.readAhead(`${root}data/`);
  return {
    name: file.name,
    program: () => readProgram(archive, `${root}models/${name}.json`, file),
    weights: () => readKind(file, archive, root, "weights", name),
    constants: () => readKind(file, archive, root, "constants", name),
  };
}

function chooseModel(
  archive: ZipArchive,
  root: string,
  model: string | undefined,
  file: ByteSource,
): string {
  const models = [...archive.members.keys()]
    .filter((name) => name.startsWith(`${root}models/`) && name.endsWith(".json"))
    .map((name) => name.slice(`${root}models/`.length, -".json".length));
  const quoted = models.map((name) => `'${name}'`).join(", ");
  if (model !== undefined) {
    if (models.includes(model)) return model;
    throw new CheckpointError(`there is no model '${model}' in it, only ${quoted || "none"}`, {
      file: file.name,
    });
  }
  if (models.includes("model")) return "model";
  if (models.length === 1) return models[0]!;
  if (models.length > 1) {
    throw new CheckpointError(`has several models: choose one by the option model: ${quoted}`, {
      file: file.name,
    });
  }
  const isCompiled = [...archive.members.keys()].some((name) => name.includes("aotinductor"));
  const what = isCompiled ? "was compiled by AOTInductor to machine code" : "has no models/*.json";
  throw new CheckpointError(`the archive ${what}: save the program by torch.export.save`, {
    file: file.name,
  });
}

async function readKind(
  file: ByteSource,
  archive: ZipArchive,
  root: string,
  kind: "weights" | "constants",
  model: string,
): Promise<Payloads> {
  const folder = `${root}data/${kind}/`;
  const config = `${folder}${model}_${kind}_config.json`;
  if (archive.members.has(config)) return readPayloads(file, archive, folder, config);
  const pickled = `${folder}${model}.pt`;
  if (archive.members.has(pickled)) return readPickled(file, archive, pickled);
  throw new CheckpointError(`the archive has no '${config}'`, { file: file.name });
}

/** The layout of PyTorch 2.7 and before: `version` and four members. */
function openFlat(file: ByteSource, archive: ZipArchive): ExportedFile {
  return {
    name: file.name,
    program: () => readProgram(archive, "serialized_exported_program.json", file),
    weights: () => readPickled(file, archive, "serialized_state_dict.pt"),
    constants: () => readPickled(file, archive, "serialized_constants.pt"),
  };
}

async function readProgram(
  archive: ZipArchive,
  path: string,
  file: ByteSource,
): Promise<ProgramJson> {
  const text = await readText(archive, path, file);
  return readChecked(text, `${file.name}/${path}`, (json) => {
    expectVersion(json as ProgramJson | null, file);
    expectProgram(json);
  });
}

/** Refuses other major versions, whose form is unknown. */
function expectVersion(json: Partial<ProgramJson> | null, { name: file }: ByteSource): void {
  const version = json?.schema_version;
  if (typeof version?.major !== "number") {
    throw new CheckpointError("its program has no schema_version", { file });
  }
  const { major, minor } = version;
  if (major >= OLDEST_MAJOR && major <= CURRENT_MAJOR) return;
  const by = json?.torch_version ? `, written by PyTorch ${json.torch_version}` : "";
  throw new CheckpointError(
    `schema_version ${major}.${minor}${by}: versions ${OLDEST_MAJOR} to ${CURRENT_MAJOR} ` +
      "are read (PyTorch 2.4 and later)",
    { file },
  );
}

async function readText(archive: ZipArchive, path: string, file: ByteSource): Promise<string> {
  const member = archive.members.get(path);
  if (member === undefined) {
    throw new CheckpointError(`the archive has no '${path}'`, { file: file.name });
  }
  return new TextDecoder().decode(await archive.read(member));
}

/** Reads a `torch.save` file as data; an empty one means that there are no tensors. */
async function readPickled(file: ByteSource, archive: ZipArchive, path: string): Promise<Payloads> {
  const member = archive.members.get(path);
  if (member === undefined) {
    throw new CheckpointError(`the archive has no '${path}'`, { file: file.name });
  }
  const bytes = await archive.read(member);
  const found = bytes.length === 0 ? [] : await load(bytesSource(bytes, `${file.name}/${path}`));
  const entries = [...found].map(([key, entry]) => [key, Promise.resolve(entry)] as const);
  return { entries: new Map(entries), refused: new Map() };
}
