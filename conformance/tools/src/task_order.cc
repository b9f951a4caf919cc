/* task_order: an order for tasks that wait for one another, when each can begin, and which of them
 * may not be late. C++17 with the standard library and nlohmann/json, both as Debian has them.
 */

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

using nlohmann::json;
using Names = std::vector<std::string>;

namespace {

constexpr std::int64_t DURATION_MAX = 1'000'000;
constexpr std::size_t TASKS_MAX = 500;

struct Task {
    std::int64_t duration = 0, start = 0, latest = 0;
    std::set<std::string> after, before;
};

/* By name, so that every list that is made of it has one order. */
using Tasks = std::map<std::string, Task>;

/* What one call came to: arguments that do not fit, a failure, or a result. */
struct Answer {
    std::string misfit, failure, message;
    json structured;
};

Answer misfit(std::string why) { return {std::move(why), "", "", nullptr}; }
Answer failure(std::string why) { return {"", std::move(why), "", nullptr}; }

bool has_only(const json &object, const std::set<std::string> &names) {
    for (const auto &item : object.items())
        if (names.count(item.key()) == 0) return false;
    return true;
}

std::optional<std::string> name_in(const json &value) {
    if (!value.is_string()) return std::nullopt;
    auto name = value.get<std::string>();
    if (name.empty() || name.size() > 200) return std::nullopt;
    return name;
}

/* Adds one task as the request has it; gives what is wrong with it. */
std::string add(Tasks &tasks, const json &value, std::string &failed) {
    if (!value.is_object() || !has_only(value, {"name", "duration", "after"})) return "a task has name, duration and after";
    auto name = name_in(value.value("name", json()));
    if (!name) return "the name of a task is not a string of 1 to 200 bytes";
    const json duration = value.value("duration", json());
    if (!duration.is_number_integer() || duration < 0 || duration > DURATION_MAX)
        return "the duration of " + *name + " is not an integer from 0 to 1000000";
    if (tasks.count(*name) > 0) failed = "two tasks are called " + *name;
    Task &task = tasks[*name];
    task.duration = duration.get<std::int64_t>();
    const json after = value.value("after", json::array());
    if (!after.is_array()) return "what " + *name + " comes after is not an array";
    for (const json &item : after) {
        auto earlier = name_in(item);
        if (!earlier) return "what " + *name + " comes after is not the name of a task";
        task.after.insert(*earlier);
    }
    return "";
}

/* Kahn's algorithm; among tasks that could come next, the first by name. Shorter than `tasks` where
 * some wait for each other. */
Names in_order(const Tasks &tasks) {
    std::map<std::string, std::size_t> waits;
    std::set<std::string> ready;
    Names order;
    for (const auto &[name, task] : tasks) {
        waits[name] = task.after.size();
        if (task.after.empty()) ready.insert(name);
    }
    while (!ready.empty()) {
        auto next = ready.extract(ready.begin()).value();
        for (const auto &later : tasks.at(next).before)
            if (--waits[later] == 0) ready.insert(later);
        order.push_back(std::move(next));
    }
    return order;
}

/* A circle among the tasks that `order` left out: going back from one of them never ends. */
std::string circle(const Tasks &tasks, const Names &order) {
    const std::set<std::string> done(order.begin(), order.end());
    auto left = [&](const std::string &name) { return done.count(name) == 0; };
    Names way;
    std::string at;
    for (const auto &[name, task] : tasks)
        if (at.empty() && left(name)) at = name;
    while (std::find(way.begin(), way.end(), at) == way.end()) {
        way.push_back(at);
        const auto &after = tasks.at(at).after;
        at = *std::find_if(after.begin(), after.end(), left);
    }
    std::string text = at;
    for (auto step = way.rbegin(); step != way.rend(); ++step) {
        text += " before " + *step;
        if (*step == at) break;
    }
    return text;
}

/* When each can begin at the earliest, then, backwards, at the latest. Gives when all is done. */
std::int64_t schedule(Tasks &tasks, const Names &order) {
    std::int64_t end = 0;
    for (const auto &name : order) {
        Task &task = tasks.at(name);
        for (const auto &earlier : task.after) {
            const Task &other = tasks.at(earlier);
            task.start = std::max(task.start, other.start + other.duration);
        }
        end = std::max(end, task.start + task.duration);
    }
    for (auto name = order.rbegin(); name != order.rend(); ++name) {
        Task &task = tasks.at(*name);
        task.latest = end - task.duration;
        for (const auto &later : task.before) task.latest = std::min(task.latest, tasks.at(later).latest - task.duration);
    }
    return end;
}

Answer plan(const json &arguments) {
    if (!has_only(arguments, {"tasks"})) return misfit("plan takes only tasks");
    const json list = arguments.value("tasks", json());
    if (!list.is_array() || list.empty() || list.size() > TASKS_MAX) return misfit("tasks is not an array of 1 to 500 tasks");
    Tasks tasks;
    std::string failed;
    for (const json &value : list) {
        auto why = add(tasks, value, failed);
        if (!why.empty()) return misfit(std::move(why));
    }
    if (!failed.empty()) return failure(failed);
    for (auto &[name, task] : tasks)
        for (const auto &earlier : task.after) {
            auto found = tasks.find(earlier);
            if (found == tasks.end()) return failure(name + " comes after " + earlier + ", which is not there");
            found->second.before.insert(name);
        }

    const Names order = in_order(tasks);
    if (order.size() < tasks.size()) return failure("tasks wait for each other: " + circle(tasks, order));
    const std::int64_t end = schedule(tasks, order);
    Answer answer;
    json rows = json::array(), critical = json::array();
    answer.message = "done after " + std::to_string(end) + "; critical:";
    for (const auto &name : order) {
        const Task &task = tasks.at(name);
        const std::int64_t slack = task.latest - task.start;
        rows.push_back({{"name", name}, {"start", task.start}, {"finish", task.start + task.duration}, {"slack", slack}});
        if (slack > 0) continue;
        critical.push_back(name);
        answer.message += " " + name;
    }
    answer.structured = {{"total", end}, {"tasks", rows}, {"critical", critical}};
    return answer;
}

json error(const json &id, int code, const std::string &message) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

json respond(const std::string &text) {
    const json request = json::parse(text, nullptr, false);
    if (request.is_discarded()) return error(nullptr, -32700, "the request is not JSON");
    if (!request.is_object() || request.value("jsonrpc", json()) != "2.0" || !request.contains("id"))
        return error(nullptr, -32600, "not a request of JSON-RPC 2.0");
    const json &id = request["id"];
    if (request.value("method", json()) != "tools/call") return error(id, -32601, "tools/call is the one method");
    const json params = request.value("params", json());
    if (!params.is_object() || params.value("name", json()) != "plan") return error(id, -32602, "there is no such tool");
    const json arguments = params.value("arguments", json::object());
    if (!arguments.is_object()) return error(id, -32602, "arguments is not an object");
    const Answer answer = plan(arguments);
    if (!answer.misfit.empty()) return error(id, -32602, answer.misfit);
    const bool failed = !answer.failure.empty();
    const json block = {{"type", "text"}, {"text", failed ? answer.failure : answer.message}};
    json result = {{"content", json::array({block})}, {"isError", failed}};
    if (!failed) result["structuredContent"] = answer.structured;
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", result}};
}

}  // namespace

int main() {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    std::cout << respond(text).dump() << '\n';
}
