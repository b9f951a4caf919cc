"""An MCP server with one tool: a message on each line of stdin and stdout."""

import json
import sys

GREETER = {
    "name": "@TOOL@",
    "description": "Greets a person by name.",
    "inputSchema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
}


def initialize(params):
    server = {"name": "@NAME@", "version": "0.1.0"}
    return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server}


def call(params):
    name = params.get("arguments", {}).get("name")
    if params.get("name") != "@TOOL@" or not isinstance(name, str):
        raise ValueError("there is no such tool, or no name")
    return {"content": [{"type": "text", "text": f"Hello, {name}!"}], "isError": False}


METHODS = {
    "initialize": initialize,
    "ping": lambda params: {},
    "tools/list": lambda params: {"tools": [GREETER]},
    "tools/call": call,
}

for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    response = {"jsonrpc": "2.0", "id": request["id"]}
    if request["method"] in METHODS:
        try:
            response["result"] = METHODS[request["method"]](request.get("params", {}))
        except ValueError as why:
            response["error"] = {"code": -32602, "message": str(why)}
    else:
        response["error"] = {"code": -32601, "message": "there is no such method"}
    print(json.dumps(response, ensure_ascii=False), flush=True)
