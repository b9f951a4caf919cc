/* One tool, @TOOL@: one JSON-RPC request on stdin, one response on stdout. */

#include <iostream>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

using nlohmann::json;

static json greet(const json &arguments) {
    const json name = arguments.is_object() ? arguments.value("name", json()) : json();
    const bool fits = name.is_string();
    const std::string text = fits ? "Hello, " + name.get<std::string>() + "!" : "name is not a string";
    return {{"content", {{{"type", "text"}, {"text", text}}}}, {"isError", !fits}};
}

static json failure(const json &id, int code, const char *message) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

static json respond(const std::string &text) {
    const json request = json::parse(text, nullptr, false);
    if (!request.is_object()) return failure(nullptr, -32700, "the request is not JSON");
    const json id = request.value("id", json()), params = request.value("params", json::object());
    if (!params.is_object() || params.value("name", json()) != "@TOOL@") return failure(id, -32602, "there is no such tool");
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", greet(params.value("arguments", json::object()))}};
}

int main() {
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    std::cout << respond(text).dump() << "\n";
}
