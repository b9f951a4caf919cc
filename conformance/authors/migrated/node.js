// What the npm package @modelcontextprotocol/server-memory imports, for QuickJS: the modules of Node and of the SDK
// that it uses, and no more. The host has checked the arguments already, so schemas are not needed again.

import * as std from "qjs:std";
import * as os from "qjs:os";

const failed = (code) => Object.assign(new Error(`error ${code}`), { code: code === -44 ? "ENOENT" : `E${-code}` });
const check = (code) => { if (code < 0) throw failed(code); };

export const promises = {
  async access(path) { check(-os.stat(path)[1]); },
  async readFile(path) {
    const text = std.loadFile(path);
    if (text === null) throw failed(-44);
    return text;
  },
  async writeFile(path, text) {
    const file = std.open(path, "w");
    if (!file) throw failed(-1);
    file.puts(text);
    file.close();
  },
  async rename(from, to) { check(os.rename(from, to)); },
  async unlink(path) { check(os.remove(path)); },
};

export const path = {
  join: (...parts) => parts.join("/"),
  dirname: (name) => name.slice(0, name.lastIndexOf("/")) || "/",
  basename: (name) => name.slice(name.lastIndexOf("/") + 1),
  isAbsolute: (name) => name.startsWith("/"),
};
export const fileURLToPath = (url) => url;
export const randomBytes = () => "tmp";
export const SubscribeRequestSchema = {}, UnsubscribeRequestSchema = {};
export const z = new Proxy(() => z, { get: () => z, apply: () => z });

export class StdioServerTransport {}

export class McpServer {
  tools = {};
  server = { registerCapabilities() {}, setRequestHandler() {}, sendResourceUpdated() {} };
  constructor(info) { this.info = info; }
  registerResource() {}
  registerTool(name, _, handler) { this.tools[name] = handler; }
  async connect() {
    for (let line = std.in.getline(); line !== null; line = std.in.getline()) {
      const { id, method, params } = JSON.parse(line);
      if (id === undefined) continue;
      const message = { jsonrpc: "2.0", id };
      if (method === "initialize") {
        message.result = { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: this.info };
      } else {
        try {
          message.result = await this.tools[params.name](params.arguments ?? {});
        } catch (error) {
          message.result = { content: [{ type: "text", text: error.message }], isError: true };
        }
      }
      std.out.puts(JSON.stringify(message) + "\n");
    }
    std.out.flush();
  }
}

globalThis.process = { env: { MEMORY_FILE_PATH: "/storage/memory.jsonl" }, exit: std.exit };
console.error = (...words) => std.err.puts(words.join(" ") + "\n");
