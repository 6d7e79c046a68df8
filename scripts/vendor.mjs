// Copies the pinned front-end libraries and fonts out of node_modules, with their licences and a manifest of SHA-256 sums.
//
//   npm ci && npm run vendor
//
// The result is committed, so that neither running nor testing the application needs Node.

import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const LIBRARIES = {
  "static/vendor": {
    "htmx.org": ["dist/htmx.esm.min.js"],
    "img-comparison-slider": ["dist/index.js", "dist/styles.css"],
    photoswipe: ["dist/photoswipe.esm.min.js", "dist/photoswipe-lightbox.esm.min.js", "dist/photoswipe.css"],
    thumbhash: ["thumbhash.js"],
    // uPlot's only minified build is a classic script; the module build is what `import` can load.
    uplot: ["dist/uPlot.esm.js", "dist/uPlot.min.css"],
  },
  "ChatBot/media/fonts": {
    // Has every letter of Vietnamese, which the font inside Pillow has not.
    "@expo-google-fonts/be-vietnam-pro": ["600SemiBold/BeVietnamPro_600SemiBold.ttf"],
  },
  "tests/vendor": {
    "axe-core": ["axe.min.js"],
  },
};

function licenceOf(name) {
  // A font's own licence stands beside that of its package. Two packages name theirs but do not carry its text.
  const shipped = ["LICENSE_FONT", "LICENSE"].map((file) => join("node_modules", name, file)).find(existsSync);
  return shipped ?? join("scripts", "licences", `${name}.txt`);
}

function copyLibrary(root, name, files, sums) {
  const source = join("node_modules", name);
  const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const folder = `${basename(name)}-${version}`;
  mkdirSync(join(root, folder), { recursive: true });
  const wanted = [...files.map((file) => [join(source, file), basename(file)]), [licenceOf(name), "LICENSE"]];
  for (const [from, to] of wanted) {
    cpSync(from, join(root, folder, to));
    sums[`${folder}/${to}`] = createHash("sha256").update(readFileSync(from)).digest("hex");
  }
}

for (const [root, libraries] of Object.entries(LIBRARIES)) {
  rmSync(root, { recursive: true, force: true });
  const sums = {};
  for (const [name, files] of Object.entries(libraries)) copyLibrary(root, name, files, sums);
  writeFileSync(join(root, "manifest.json"), `${JSON.stringify(sums, null, 2)}\n`);
}
