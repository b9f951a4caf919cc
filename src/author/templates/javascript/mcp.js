// A small MCP server over stdio with one tool, @TOOL@. QuickJS runs this file.

import * as std from "qjs:std";

const inputSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };

const methods = {
  initialize: () => ({
    protocolVersion: "2025-06-18",
    capabilities: { tools: {} },
    serverInfo: { name: "@NAME@", version: "0.1.0" },
  }),
  "tools/list": () => ({ tools: [{ name: "@TOOL@", description: "Greets a person by name.", inputSchema }] }),
  "tools/call": ({ name, arguments: given }) => {
    if (name !== "@TOOL@" || typeof given?.name !== "string") throw new Error("unknown tool, or no name");
    return { content: [{ type: "text", text: `Hello, ${given.name}!` }] };
  },
};

for (let line = std.in.getline(); line !== null; line = std.in.getline()) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  let response;
  try {
    response = { jsonrpc: "2.0", id, result: methods[method](params ?? {}) };
  } catch (problem) {
    response = { jsonrpc: "2.0", id, error: { code: -32602, message: problem.message } };
  }
  std.out.puts(JSON.stringify(response) + "\n");
}
