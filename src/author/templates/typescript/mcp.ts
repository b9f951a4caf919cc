// An MCP server with one tool: a message on each line of stdin and stdout.

import * as std from "qjs:std";

type Params = { name?: string; arguments?: { [name: string]: unknown } };

const greeter = {
  name: "@TOOL@",
  description: "Greets a person by name.",
  inputSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
};

const methods: { [name: string]: (params?: Params) => object } = {
  initialize: () => ({
    protocolVersion: "2025-06-18",
    capabilities: { tools: {} },
    serverInfo: { name: "@NAME@", version: "0.1.0" },
  }),
  ping: () => ({}),
  "tools/list": () => ({ tools: [greeter] }),
  "tools/call": (params) => {
    const name = params?.arguments?.name;
    if (params?.name !== "@TOOL@" || typeof name !== "string") throw new Error("there is no such tool, or no name");
    return { content: [{ type: "text", text: `Hello, ${name}!` }], isError: false };
  },
};

function respond(method: string, params?: Params): object {
  if (!Object.hasOwn(methods, method)) return { error: { code: -32601, message: "there is no such method" } };
  try {
    return { result: methods[method](params) };
  } catch (problem) {
    return { error: { code: -32602, message: String(problem) } };
  }
}

for (let line = std.in.getline(); line !== null; line = std.in.getline()) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  std.out.puts(JSON.stringify({ jsonrpc: "2.0", id, ...respond(method, params) }) + "\n");
  std.out.flush();
}
