/* One tool. jsonrpc.ts reads the request and writes the response. */

import { STRING, Value, error, quote, result, serve } from "./jsonrpc";

function greet(args: Value): string {
  const name = args.member("name");
  if (name == null || name.kind != STRING) return error(-32602, "name is not a string");
  const greeting = "Hello, " + name.text + "!";
  return result(greeting, "{\"greeting\":" + quote(greeting) + "}");
}

serve((tool: string, args: Value): string => {
  if (tool == "@TOOL@") return greet(args);
  return error(-32602, "there is no such tool");
});
