// An MCP server with one tool: a message on each line of stdin and stdout.

#include "json.hpp"

const char *const INITIALIZED =
    R"("result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"@NAME@","version":"0.1.0"}})";
const char *const TOOLS =
    R"("result":{"tools":[{"name":"@TOOL@","description":"Greets a person by name.","inputSchema":)"
    R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}}]})";

std::string call(const Json &params) {
    if (!params["name"].is("@TOOL@")) return error(-32602, "there is no such tool");
    const Json &name = params["arguments"]["name"];
    if (name.kind != Json::String) return error(-32602, "name is not a string");
    return text_result("Hello, " + name.text + "!");
}

std::string answer(const Json &request) {
    const Json &method = request["method"];
    if (method.is("initialize")) return INITIALIZED;
    if (method.is("ping")) return "\"result\":{}";
    if (method.is("tools/list")) return TOOLS;
    if (method.is("tools/call")) return call(request["params"]);
    return error(-32601, "there is no such method");
}

int main() {
    for (std::string line; read_line(line);) {
        Json request;
        if (!JsonReader(line).read(request)) respond(Json(), error(-32700, "the message is not JSON"));
        else if (request["id"].kind != Json::Null) respond(request["id"], answer(request));
    }
}
