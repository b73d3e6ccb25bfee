#pragma once

#include <taskflux/core/codec/path.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// "app.json:3:5": where a byte of a text is, lines and columns from 1 on.
inline std::string place_in(std::string_view text, std::size_t offset, const std::string& name) {
    const auto before = text.substr(0, offset);
    const auto line = 1 + std::ranges::count(before, '\n');
    const auto start = before.rfind('\n');
    const auto column = start == std::string_view::npos ? offset + 1 : offset - start;
    return name + ':' + std::to_string(line) + ':' + std::to_string(column);
}

/// Walks over a text that is known to be JSON, and calls a listener with the place of each member's key and each element.
class json_places {
public:
    /// Called with a JSON pointer and the offset of what it names.
    using listener = std::function<void(const std::string& pointer, std::size_t offset)>;

    json_places(std::string_view text, listener tell) : text_(text), tell_(std::move(tell)) {}

    void walk() {
        skip_space();
        tell_("", at_);
        value(path());
    }

private:
    void value(const path& here) {
        skip_space();
        switch (text_[at_]) {
            case '{': return items('}', [&](std::size_t) { member(here); });
            case '[': return items(']', [&](std::size_t index) { element(path(here, index)); });
            case '"': string(); return;
        }
        while (at_ != text_.size() && std::string_view(",]} \t\r\n").find(text_[at_]) == std::string_view::npos) ++at_;
    }

    template <class Item>
    void items(char end, Item item) {
        ++at_;
        skip_space();
        for (std::size_t index = 0; text_[at_] != end; ++index) {
            item(index);
            skip_space();
            if (text_[at_] == ',') ++at_;
            skip_space();
        }
        ++at_;
    }

    void member(const path& of) {
        const auto start = at_;
        const auto key = string();
        const path here(of, key);
        tell_(here.pointer(), start);
        skip_space();
        ++at_;  // the colon
        value(here);
    }

    void element(const path& here) {
        tell_(here.pointer(), at_);
        value(here);
    }

    std::string string() {
        const auto start = at_++;
        while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        ++at_;
        const auto read = boost::json::parse(text_.substr(start, at_ - start));
        return std::string(read.get_string());
    }

    void skip_space() {
        at_ = (std::min)(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    }

    std::string_view text_;
    listener tell_;
    std::size_t at_ = 0;
};

}  // namespace taskflux::detail
