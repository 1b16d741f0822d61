/** Bundle the viewer into ../static; two builds of the same source are the same bytes. */

import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const folder = process.argv[2] ?? new URL("../static", import.meta.url).pathname;
for (const name of readdirSync(folder, { withFileTypes: true })) {
  if (/^viewer-.*\.(js|css)$/.test(name.name)) rmSync(`${folder}/${name.name}`);
}
await build({
  entryPoints: { viewer: new URL("src/index.ts", import.meta.url).pathname },
  outdir: folder,
  // A changed bundle has a changed name: no browser keeps an old one.
  entryNames: "[name]-[hash]",
  bundle: true,
  format: "esm",
  target: "es2023",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  absWorkingDir: new URL(".", import.meta.url).pathname,
});
