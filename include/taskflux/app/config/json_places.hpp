#pragma once

#include <taskflux/core/codec/path.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Where the bytes of a text are: "app.json:3:5", lines and columns from 1 on. O(log lines) a question.
class text_places {
public:
    text_places(std::string_view text, std::string name) : name_(std::move(name)) {
        for (std::size_t end = 0; (end = text.find('\n', end)) != std::string_view::npos;) begins_.push_back(++end);
    }

    std::string operator()(std::size_t offset) const {
        const auto next = std::ranges::upper_bound(begins_, offset);
        const auto line = next - begins_.begin();  // from 1 on
        return name_ + ':' + std::to_string(line) + ':' + std::to_string(offset - *(next - 1) + 1);
    }

private:
    std::string name_;
    std::vector<std::size_t> begins_ = std::vector<std::size_t>(1, 0);  // of the lines
};

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
