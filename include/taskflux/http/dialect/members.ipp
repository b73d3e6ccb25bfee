#pragma once

#include <taskflux/http/dialect/members.hpp>

#include <boost/json/parse_options.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

json_text::json_text(std::string_view text) : text_(text) {
    boost::json::parse_options options;
    options.max_depth = 200;
    boost::json::parser reading(boost::json::storage_ptr(), options);
    boost::system::error_code ec;
    const auto read = reading.write(text.data(), text.size(), ec);
    if (ec) throw fault{read, ec.message()};
    value_ = reading.release();
}

/// Goes through the values of a text that is known to be JSON.
class json_walk {
public:
    explicit json_walk(std::string_view text) : text_(text) {}

    /// Whether the next character, behind blanks, is this one; then it is passed.
    bool passes(char c) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != c) return false;
        return ++at_, true;
    }

    std::string_view value() {
        skip_blanks();
        const auto begin = at_;
        std::size_t depth = 0;
        do {
            const char c = at_ < text_.size() ? text_[at_] : '\0';
            if (c == '"') {
                pass_string();
            } else if (c == '{' || c == '[') {
                ++depth, ++at_;
            } else if (c == '}' || c == ']') {
                --depth, ++at_;
            } else if (depth > 0) {
                ++at_;
            } else {
                at_ = (std::min)(text_.find_first_of(",]} \t\r\n", at_), text_.size());
            }
        } while (depth > 0 && at_ < text_.size());
        return text_.substr(begin, at_ - begin);
    }

private:
    void skip_blanks() { at_ = (std::min)(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

    void pass_string() {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\') ++at_;
        }
        at_ = (std::min)(at_ + 1, text_.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::map<std::string, std::string_view, std::less<>> sent_members(std::string_view object) {
    std::map<std::string, std::string_view, std::less<>> found;
    json_walk walk(object);
    if (!walk.passes('{')) return found;
    while (!walk.passes('}')) {
        const auto name = walk.value();
        if (!walk.passes(':')) break;
        const json_text plain(name);
        found[std::string(plain.value().as_string())] = walk.value();
        walk.passes(',');
    }
    return found;
}

std::vector<std::string_view> sent_elements(std::string_view array) {
    std::vector<std::string_view> found;
    json_walk walk(array);
    if (!walk.passes('[')) return found;
    while (!walk.passes(']')) {
        const auto one = walk.value();
        if (one.empty()) break;
        found.push_back(one);
        walk.passes(',');
    }
    return found;
}

std::string json_quoted(std::string_view text) { return boost::json::serialize(boost::json::string_view(text.data(), text.size())); }

}  // namespace taskflux::detail
