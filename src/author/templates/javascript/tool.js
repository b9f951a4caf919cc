// One tool: one JSON-RPC request on stdin, one response on stdout. QuickJS runs this file.

import * as std from "qjs:std";

const tools = {
  @TOOL@({ name }) {
    if (typeof name !== "string") throw new Error("name is not a string");
    return `Hello, ${name}!`;
  },
};

function failure(id, code, message) {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

function respond(text) {
  let request;
  try {
    request = JSON.parse(text);
  } catch {
    return failure(null, -32700, "the request is not JSON");
  }
  const { id = null, params } = request ?? {};
  const tool = params?.name;
  if (typeof tool !== "string" || !Object.hasOwn(tools, tool)) return failure(id, -32602, "there is no such tool");
  try {
    const text = tools[tool](params.arguments ?? {});
    return { jsonrpc: "2.0", id, result: { content: [{ type: "text", text }], isError: false } };
  } catch (problem) {
    return failure(id, -32602, problem.message);
  }
}

std.out.puts(JSON.stringify(respond(std.in.readAsString())) + "\n");
