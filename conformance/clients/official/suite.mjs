// Runs the official suite against `mpp serve`, once for each set of requirements.

import { spawn } from "node:child_process";
import { listen } from "./shim.mjs";

const suite = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
const shim = await listen();
let failed = false;
for (const revision of ["2025-11-25", "2026-07-28"]) {
  const words = [suite, "server", "--url", `http://127.0.0.1:${shim.port}/mcp`, "--requirements", revision, "--timeout", "120000"];
  const run = spawn(process.execPath, [...words, "--expected-failures", `expected-failures-${revision}.yml`], { stdio: "inherit" });
  const code = await new Promise((resolve) => run.on("exit", resolve));
  failed ||= code !== 0;
}
shim.stop();
process.exit(failed ? 1 : 0);
