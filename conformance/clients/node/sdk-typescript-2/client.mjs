// The official TypeScript SDK, version 2: the stateless revision if it may choose, and `initialize`.

import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { holds, session, transport } from "../expect.mjs";

for (const [mode, revision] of [["auto", "2026-07-28"], ["legacy", "2025-11-25"]]) {
  const client = new Client({ name: "try", version: "1" }, { capabilities: {}, versionNegotiation: { mode } });
  await client.connect(new StdioClientTransport(transport));
  const found = client.getNegotiatedProtocolVersion();
  holds(`the revision is ${revision}`, found === revision, found);
  await session(client, (name, given, options) => client.callTool({ name, arguments: given }, options));
  await client.close();
}
