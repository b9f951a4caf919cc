"""A small MCP server over stdio with one tool, @TOOL@."""

import json
import sys

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def initialize(params):
    server = {"name": "@NAME@", "version": "0.1.0"}
    return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server}


def list_tools(params):
    return {"tools": [{"name": "@TOOL@", "description": "Greets a person by name.", "inputSchema": SCHEMA}]}


def call_tool(params):
    if params["name"] != "@TOOL@":
        raise ValueError("unknown tool")
    return {"content": [{"type": "text", "text": f"Hello, {params['arguments']['name']}!"}]}


METHODS = {"initialize": initialize, "tools/list": list_tools, "tools/call": call_tool}

for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    response = {"jsonrpc": "2.0", "id": message["id"]}
    try:
        response["result"] = METHODS[message["method"]](message.get("params", {}))
    except (LookupError, ValueError) as why:
        response["error"] = {"code": -32602, "message": f"{type(why).__name__}: {why}"}
    print(json.dumps(response, ensure_ascii=False), flush=True)
