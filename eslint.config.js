import js from "@eslint/js";
import globals from "globals";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "out", "coverage", "node_modules", "examples/page/dist"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [ts.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json" } },
    rules: {
      "max-lines": ["error", { max: 400 }],
      "@typescript-eslint/naming-convention": [
        "error",
        {
          selector: "variableLike",
          format: ["camelCase", "PascalCase", "UPPER_CASE"],
          leadingUnderscore: "allow",
        },
        // PyTorch's mark of what writes in place: `uniform_`, `requiresGrad_`.
        { selector: "function", format: ["camelCase"], trailingUnderscore: "allow" },
        { selector: "typeLike", format: ["PascalCase"] },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      // A class merged with its call signature is how `model(x)` gets its type.
      "@typescript-eslint/no-unsafe-declaration-merging": "off",
    },
  },
  {
    // Specs poke at wrong types on purpose, and chai asserts by expression.
    files: ["spec/**/*.ts", "bench/**/*.ts", "examples/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 500 }],
      "@typescript-eslint/explicit-module-boundary-types": "off",
      "@typescript-eslint/no-unused-expressions": "off",
      // A spec swaps a method and puts it back.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  { files: ["**/*.js"], languageOptions: { globals: globals.node } },
  { files: ["spec/browser/*.js"], languageOptions: { globals: globals.browser } },
);
