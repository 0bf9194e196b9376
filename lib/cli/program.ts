/** The commands of `sconce`, and how errors end them. */
import { Command, CommanderError } from "commander";
import { readFileSync } from "node:fs";
import { CheckpointError } from "../checkpoint/index.js";
import { addConvert } from "./convert.js";
import { Failure } from "./failure.js";
import { addInspect } from "./inspect.js";
import { addRun } from "./run.js";

/** Where a command writes, and when it has to stop. */
export interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
  signal?: AbortSignal;
}

/** The commands, one per file. */
const COMMANDS: readonly ((program: Command, terminal: Terminal) => void)[] = [
  addInspect,
  addConvert,
  addRun,
];

const FAILED = 1;
const MISUSED = 2;
const INTERRUPTED = 130;

/** Runs the command in the arguments; returns the exit code. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = new Command("sconce")
    .description("Looks into checkpoints of PyTorch models, converts them, and runs exported ones.")
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError("(--help tells how it is used)");
  for (const add of COMMANDS) add(program, terminal);
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED;
    if (terminal.signal?.aborted) return INTERRUPTED;
    // Only unexpected errors are shown with a stack trace.
    const isForeseen =
      error instanceof CheckpointError || error instanceof Failure || isSystemError(error);
    const { message, stack } = error as Error;
    terminal.err(`sconce: ${isForeseen ? message : stack}\n`);
    return FAILED;
  }
}

/** No permission, no space left … */
const isSystemError = (error: unknown): boolean =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
