// An MCP server with one tool: a message on each line of stdin and stdout. QuickJS runs this file.

import * as std from "qjs:std";

const greeter = {
  name: "@TOOL@",
  description: "Greets a person by name.",
  inputSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
};

const methods = {
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

function respond({ id, method, params }) {
  if (!Object.hasOwn(methods, method)) return { error: { code: -32601, message: "there is no such method" } };
  try {
    return { result: methods[method](params) };
  } catch (problem) {
    return { error: { code: -32602, message: problem.message } };
  }
}

for (let line = std.in.getline(); line !== null; line = std.in.getline()) {
  const request = JSON.parse(line);
  if (request.id === undefined) continue;
  std.out.puts(JSON.stringify({ jsonrpc: "2.0", id: request.id, ...respond(request) }) + "\n");
  std.out.flush();
}
