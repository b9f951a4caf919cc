// A command line program: @NAME@ NAME <MESSAGE

import * as std from "qjs:std";

const [, name, ...rest] = scriptArgs;
if (name === undefined || name.trim() === "" || rest.length > 0) {
  std.err.puts("@NAME@: whom shall I greet?\n");
  std.exit(2);
}
std.out.puts(`Hello, ${name}!\n` + std.in.readAsString());
