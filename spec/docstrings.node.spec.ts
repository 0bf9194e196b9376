import { expect } from "chai";
import ts from "typescript";

const ENTRIES = ["", "functional/", "models/", "reference/", "worker/"].map(
  (folder) => `lib/${folder}index.ts`,
);

interface Documented {
  name: string;
  file: string;
  isType: boolean;
  text: string;
}

/** Everything that the package exports, with what its docstring says. */
function exported(): Documented[] {
  const { config } = ts.readConfigFile("tsconfig.json", (path) => ts.sys.readFile(path)) as { config: object }; // prettier-ignore
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ".");
  const program = ts.createProgram(ENTRIES, options);
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, Documented>();
  const visit = (given: ts.Symbol): void => {
    const isAlias = given.flags & ts.SymbolFlags.Alias;
    const symbol = isAlias ? checker.getAliasedSymbol(given) : given;
    const declaration = symbol.declarations?.[0];
    if (found.has(symbol) || !declaration) return;
    if (ts.isSourceFile(declaration)) return checker.getExportsOfModule(symbol).forEach(visit);
    const tags = symbol.getJsDocTags(checker).map(({ text }) => ts.displayPartsToString(text));
    found.set(symbol, {
      name: symbol.name,
      file: declaration.getSourceFile().fileName.replace(/^.*\blib\//, ""),
      isType: ts.isInterfaceDeclaration(declaration) || ts.isTypeAliasDeclaration(declaration),
      text: [ts.displayPartsToString(symbol.getDocumentationComment(checker)), ...tags].join("\n"),
    });
  };
  for (const entry of ENTRIES) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
    checker.getExportsOfModule(module).forEach(visit);
  }
  return [...found.values()];
}

describe("Docstrings", () => {
  let all: Documented[];
  before(() => (all = exported()));

  const names = (some: Documented[]): string[] => some.map(({ name, file }) => `${name} (${file})`);

  it("say what every export is, but options, whose fields do", () => {
    expect(all).to.have.length.above(500);
    const bare = all.filter(
      ({ name, text, isType }) => !text && !(isType && /Options$/.test(name)),
    );
    expect(names(bare)).to.deep.equal([]);
  });

  it("of layers, ops and models name shapes and a source", () => {
    const isOne = ({ file, isType }: Documented): boolean =>
      /^(functional|layers|models)\//.test(file) && !isType;
    // Tells whether a module is parametrized.
    const some = all.filter((one) => isOne(one) && one.name !== "isParametrized");
    const shape = /`\(.*?\)`|`\[.*?\]`|any\sshape/is;
    expect(names(some.filter(({ text }) => !shape.test(text)))).to.deep.equal([]);
    expect(names(some.filter(({ text }) => !text.includes("https://")))).to.deep.equal([]);
  });
});
