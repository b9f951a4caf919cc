// A command-line program: `tool NAME` greets a person. QuickJS runs this file.

import * as std from "qjs:std";

const [, ...words] = globalThis.scriptArgs;
if (words.length !== 1) {
  std.err.puts("usage: tool NAME\n");
  std.exit(2);
}
std.out.puts(`Hello, ${words[0]}!\n`);
