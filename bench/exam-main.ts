import { readFileSync, writeFileSync } from "node:fs";
import { withPage } from "./browser.ts";
const [file, n, out] = process.argv.slice(2);
const all = JSON.parse(readFileSync(file!, "utf8"));
const per: any = {}; const pick: any[] = [];
for (const c of all.sort(() => Math.random() - 0.5)) { if (c.err && Math.random() < 0.8) continue; const k = c.kind + c.name; per[k] = (per[k] ?? 0) + 1; if (per[k] <= Number(n)) pick.push(c); }
console.log(pick.length, "cases");
await withPage([], "bench/exam-page.ts", async (page) => {
  page.on("console", (m) => { if (m.type() === "error") console.log("console", m.text()); });
  for (let i = 0; i < pick.length; i += 100) {
    const r: any = await page.evaluate(async (cases) => { const { runCases } = await import("/bench.js" as string); return runCases(cases, "webgl"); }, pick.slice(i, i + 100));
    console.log(i, r.backend, r.passed, r.fails.length);
    for (const f of r.fails) console.log(JSON.stringify(f).slice(0, 600));
  }
});
process.exit(0);
