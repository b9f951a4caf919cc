// What a tool needs of JSON: values that were read, and strings that are written. Numbers stay as they are written.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

struct Json {
    enum Kind { Null, False, True, Number, String, Array, Object } kind = Null;
    std::string text;               // of a string, or of a number as written
    std::vector<std::string> names; // of an object's members
    std::vector<Json> items;        // of an array, or the members' values

    bool is(const char *string) const { return kind == String && text == string; }

    // A member, or null without one.
    const Json &operator[](const char *name) const {
        static const Json none;
        for (size_t i = 0; i < names.size(); i++)
            if (names[i] == name) return items[i];
        return none;
    }
};

class JsonReader {
    const char *at, *end;

    void skip_space() {
        while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    }

    bool take(char byte) {
        skip_space();
        if (at == end || *at != byte) return false;
        at++;
        return true;
    }

    bool literal(const std::string &word, Json &value, Json::Kind kind) {
        if (size_t(end - at) < word.size() || std::string(at, at + word.size()) != word) return false;
        at += word.size();
        value.kind = kind;
        return true;
    }

    bool unit(unsigned &code) {
        if (end - at < 4) return false;
        const std::string digits(at, at + 4);
        if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return false;
        code = unsigned(std::strtoul(digits.c_str(), nullptr, 16));
        at += 4;
        return true;
    }

    // The four digits of \u, and those of a second half.
    bool code_point(std::string &out) {
        unsigned code, low;
        if (!unit(code) || (code >= 0xdc00 && code < 0xe000)) return false;
        if (code >= 0xd800 && code < 0xdc00) {
            if (end - at < 2 || *at++ != '\\' || *at++ != 'u' || !unit(low) || low < 0xdc00 || low >= 0xe000) return false;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        if (code < 0x80) return out += char(code), true;
        if (code < 0x800) out += char(0xc0 | code >> 6);
        else if (code < 0x10000) out += char(0xe0 | code >> 12), out += char(0x80 | (code >> 6 & 63));
        else out += char(0xf0 | code >> 18), out += char(0x80 | (code >> 12 & 63)), out += char(0x80 | (code >> 6 & 63));
        out += char(0x80 | (code & 63));
        return true;
    }

    bool string(std::string &out) {
        if (!take('"')) return false;
        while (at < end && *at != '"') {
            if ((unsigned char)*at < 0x20) return false;
            if (*at != '\\') {
                out += *at++;
                continue;
            }
            if (++at == end) return false;
            static const std::string escapes = "\"\\/bfnrt", bytes = "\"\\/\b\f\n\r\t";
            const char escape = *at++;
            const size_t which = escapes.find(escape);
            if (which != std::string::npos) out += bytes[which];
            else if (escape != 'u' || !code_point(out)) return false;
        }
        return take('"');
    }

    bool value(Json &out, int depth_left) {
        skip_space();
        if (at == end || depth_left == 0) return false;
        if (*at == '"') return out.kind = Json::String, string(out.text);
        if (*at == 'n') return literal("null", out, Json::Null);
        if (*at == 't') return literal("true", out, Json::True);
        if (*at == 'f') return literal("false", out, Json::False);
        if (*at != '{' && *at != '[') {
            out.kind = Json::Number;
            while (at < end && std::string("+-.0123456789eE").find(*at) != std::string::npos) out.text += *at++;
            return !out.text.empty();
        }
        const bool object = *at++ == '{';
        const char close = object ? '}' : ']';
        out.kind = object ? Json::Object : Json::Array;
        if (take(close)) return true;
        do {
            if (object && (out.names.emplace_back(), !string(out.names.back()) || !take(':'))) return false;
            if (out.items.emplace_back(), !value(out.items.back(), depth_left - 1)) return false;
        } while (take(','));
        return take(close);
    }

  public:
    explicit JsonReader(const std::string &text) : at(text.data()), end(text.data() + text.size()) {}

    // Whether the whole text is one value.
    bool read(Json &out) {
        if (!value(out, 80)) return false;
        skip_space();
        return at == end;
    }
};

inline std::string quote(const std::string &text) {
    std::string out = "\"";
    char escaped[8];
    for (const char byte : text) {
        if (byte == '"' || byte == '\\') out += '\\';
        if ((unsigned char)byte >= 0x20) out += byte;
        else std::snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)byte), out += escaped;
    }
    return out + '"';
}

// One line of stdin; false at its end.
inline bool read_line(std::string &line) {
    line.clear();
    int byte;
    while ((byte = std::getchar()) != EOF && byte != '\n') line += char(byte);
    return byte != EOF || !line.empty();
}

// Writes a response; `member` is its result or error.
inline void respond(const Json &id, const std::string &member) {
    const std::string text = id.kind == Json::String ? quote(id.text) : id.kind == Json::Number ? id.text : "null";
    std::printf("{\"jsonrpc\":\"2.0\",\"id\":%s,%s}\n", text.c_str(), member.c_str());
    std::fflush(stdout);
}

inline std::string error(int code, const std::string &message) {
    return "\"error\":{\"code\":" + std::to_string(code) + ",\"message\":" + quote(message) + "}";
}

inline std::string text_result(const std::string &text) {
    return "\"result\":{\"content\":[{\"type\":\"text\",\"text\":" + quote(text) + "}],\"isError\":false}";
}
