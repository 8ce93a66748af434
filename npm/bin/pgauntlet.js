#!/usr/bin/env node
// Starts the program for this platform, which npm has installed beside this package.
"use strict";

const { spawn } = require("node:child_process");

const platform = `${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`@pgauntlet/${platform}/bin/pgauntlet`);
} catch {
  console.error(
    `pgauntlet: failed to find the program for ${platform}: there is one for linux-x64 and ` +
      "linux-arm64 with glibc, if npm installs optional dependencies; cargo install pgauntlet builds one",
  );
  process.exit(4);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => {
  console.error(`pgauntlet: failed to start ${program}: ${error.message}`);
  process.exit(4);
});
// A terminal sends its interrupt to both.
process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
for (const signal of ["SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("exit", (code, signal) => process.exit(signal === null ? code : 130));
