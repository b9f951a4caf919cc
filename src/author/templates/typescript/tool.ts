// One tool, @TOOL@: one JSON-RPC request on stdin, one response on stdout. QuickJS runs what this compiles to.

import * as std from "qjs:std";

type Arguments = Record<string, unknown>;

const tools: Record<string, (given: Arguments) => string> = {
  "@TOOL@"({ name }) {
    if (typeof name !== "string") throw new Error("name is not a string");
    return `Hello, ${name}!`;
  },
};

function failure(id: unknown, code: number, message: string) {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

function respond(text: string) {
  let request: { id?: unknown; params?: { name?: string; arguments?: Arguments } };
  try {
    request = JSON.parse(text);
  } catch {
    return failure(null, -32700, "the request is not JSON");
  }
  const { id = null, params } = request;
  const tool = Object.hasOwn(tools, params?.name ?? "") ? tools[params?.name ?? ""] : undefined;
  if (tool === undefined) return failure(id, -32602, "there is no such tool");
  let answer: string;
  let isError = false;
  try {
    answer = tool(params?.arguments ?? {});
  } catch (problem) {
    answer = String(problem);
    isError = true;
  }
  return { jsonrpc: "2.0", id, result: { content: [{ type: "text", text: answer }], isError } };
}

std.out.puts(JSON.stringify(respond(std.in.readAsString())) + "\n");
