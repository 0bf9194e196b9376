/**
 * JSON as strict readers take it: JavaScript's parser lets the last of two equal keys win, and
 * reads `8.0` as the integer 8.
 *
 * @throws SyntaxError with the position.
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const open: Set<string>[] = [];
  // The text is valid JSON by now, so its tokens can be told apart by their first character.
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]|-?\d[\d.eE+-]*/g;
  for (const match of text.matchAll(tokens)) {
    const [token, colon] = match;
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (token.startsWith('"')) {
      if (colon === undefined) continue;
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) throw new SyntaxError(`the key "${key}" twice, at ${match.index}`);
      keys.add(key);
    } else if (!/^\d+$/.test(token)) {
      throw new SyntaxError(`${token}, which is no non-negative integer, at ${match.index}`);
    }
  }
  return value;
}
