// HTTP in front of `mpp serve`, for a suite that knows no stdio. It moves messages and decides nothing
// about them, but for what HTTP adds: sessions, status codes, and headers that repeat what a message says.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const VERSION = "io.modelcontextprotocol/protocolVersion";
const STATUS = { "-32601": 404, "-32602": 400, "-32022": 400, "-32021": 400, "-32020": 400, "-32700": 400, "-32600": 400 };

// One process, and who waits for what. Clients share one in the stateless era: their ids are replaced.
function start() {
  const child = spawn(process.env.MPP_BIN, ["serve"], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map();
  let last = 0;
  createInterface(child.stdout).on("line", (line) => {
    const message = JSON.parse(line);
    const entry = waiting.get(message.id ?? message.params?.progressToken);
    if (message.method === "notifications/progress") {
      return entry?.hear({ ...message, params: { ...message.params, progressToken: entry.token } });
    }
    waiting.delete(message.id);
    entry?.done({ ...message, id: entry.id });
  });
  const send = (message) => child.stdin.write(JSON.stringify(message) + "\n");
  const request = (message, hear, done) => {
    const [id, token] = [(last += 1), message.params?._meta?.progressToken];
    waiting.set(id, { id: message.id, token, hear, done });
    const asked = { ...message, id };
    if (token !== undefined) {
      asked.params = { ...message.params, _meta: { ...message.params._meta, progressToken: id } };
    }
    send(asked);
    return () => waiting.delete(id) && send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
  };
  return { send, request, stop: () => child.stdin.end() };
}

export function listen() {
  const [sessions, stateless] = [new Map(), start()];
  const server = createServer(async (request, response) => {
    const reply = (status, body, headers = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const local = (address) => /^(https?:\/\/)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(address);
    const { host, origin } = request.headers;
    if (!local(host) || (origin && !local(origin))) return reply(403);
    const id = request.headers["mcp-session-id"];
    if (request.method === "DELETE") {
      sessions.get(id)?.stop();
      return reply(sessions.delete(id) ? 200 : 404);
    }
    if (request.method !== "POST") return reply(405);

    let text = "";
    for await (const chunk of request) text += chunk;
    const message = JSON.parse(text);
    const fail = (code, what) =>
      reply(400, { jsonrpc: "2.0", id: message.id ?? null, error: { code, message: what } });
    const said = message.params?._meta?.[VERSION];
    const header = request.headers["mcp-protocol-version"];
    if (said !== undefined && header !== said) return fail(-32020, "the header names another version");
    const opening = message.method === "initialize" && said === undefined;
    if (id && !sessions.has(id)) return reply(404);
    const session = id ? sessions.get(id) : opening ? start() : stateless;
    const headers = {};
    if (opening) sessions.set((headers["mcp-session-id"] = randomUUID()), session);
    if (message.id === undefined || message.method === undefined) {
      session.send(message);
      return reply(202);
    }
    let streaming = false;
    const event = (what) => {
      if (!streaming) response.writeHead(200, { "content-type": "text/event-stream", ...headers });
      streaming = true;
      response.write(`event: message\ndata: ${JSON.stringify(what)}\n\n`);
    };
    const cancel = session.request(message, event, (answer) => {
      if (streaming) return event(answer), response.end();
      // In the eras with sessions every answer has status 200.
      reply((session === stateless && STATUS[answer.error?.code]) || 200, answer, headers);
    });
    response.on("close", cancel);
  });
  const stop = () => {
    [stateless, ...sessions.values()].forEach((session) => session.stop());
    server.closeAllConnections();
    server.close();
  };
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({ port: server.address().port, stop })));
}
