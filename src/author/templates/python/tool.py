"""One tool: one JSON-RPC request on stdin, one response on stdout."""

import json
import sys


def greet(arguments):
    name = arguments.get("name")
    if not isinstance(name, str):
        raise ValueError("name is not a string")
    return f"Hello, {name}!"


TOOLS = {"@TOOL@": greet}


def failure(request_id, code, message):
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def respond(text):
    try:
        request = json.loads(text)
        request_id, params = request["id"], request["params"]
        tool, arguments = TOOLS.get(params["name"]), params.get("arguments", {})
    except (ValueError, LookupError, TypeError, AttributeError):
        return failure(None, -32600, "not a call of a tool")
    if tool is None:
        return failure(request_id, -32602, "there is no such tool")
    try:
        result = {"content": [{"type": "text", "text": tool(arguments)}], "isError": False}
    except ValueError as why:
        return failure(request_id, -32602, str(why))
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


print(json.dumps(respond(sys.stdin.buffer.read()), ensure_ascii=False))
