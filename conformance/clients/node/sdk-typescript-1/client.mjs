// The official TypeScript SDK, version 1: revision 2025-11-25 by `initialize`.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { session, transport } from "../expect.mjs";

const client = new Client({ name: "try", version: "1" }, { capabilities: {} });
await client.connect(new StdioClientTransport(transport));
// Between the two, this version takes a schema for the answer.
await session(client, (name, given, options) => client.callTool({ name, arguments: given }, undefined, options));
await client.ping();
await client.close();
