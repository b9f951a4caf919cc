// One tool: one JSON-RPC request on stdin, one response on stdout.

#include "json.hpp"

std::string greet(const Json &arguments) {
    const Json &name = arguments["name"];
    if (name.kind != Json::String) return error(-32602, "name is not a string");
    return text_result("Hello, " + name.text + "!");
}

std::string call(const Json &params) {
    if (params["name"].is("@TOOL@")) return greet(params["arguments"]);
    return error(-32602, "there is no such tool");
}

int main() {
    std::string line;
    Json request;
    read_line(line);
    const bool is_json = JsonReader(line).read(request);
    respond(request["id"], is_json ? call(request["params"]) : error(-32700, "the request is not JSON"));
}
