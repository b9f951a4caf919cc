// One tool: one JSON-RPC request on stdin, one response on stdout.

import * as std from "qjs:std";

type Arguments = { [name: string]: unknown };

const tools: { [name: string]: (given: Arguments) => string } = {
  @TOOL@({ name }) {
    if (typeof name !== "string") throw new Error("name is not a string");
    return `Hello, ${name}!`;
  },
};

function respond(text: string): object {
  let id: unknown = null;
  const failure = (code: number, message: string) => ({ jsonrpc: "2.0", id, error: { code, message } });
  try {
    const { params, ...request } = JSON.parse(text);
    id = request.id;
    if (!Object.hasOwn(tools, params?.name)) return failure(-32602, "there is no such tool");
    const answer = tools[params.name](params.arguments ?? {});
    return { jsonrpc: "2.0", id, result: { content: [{ type: "text", text: answer }], isError: false } };
  } catch (problem) {
    return failure(-32602, problem instanceof Error ? problem.message : String(problem));
  }
}

std.out.puts(JSON.stringify(respond(std.in.readAsString())) + "\n");
