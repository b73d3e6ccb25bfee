#pragma once

#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::detail {

inline error unreadable(const char* why) { return {errc::protocol, std::string("a call message can't be read: ") + why}; }

/// Reads a text line by line.
class line_reader {
public:
    explicit line_reader(std::string_view text) : text_(text) {}

    std::string_view line() {
        const auto end = text_.find('\n');
        if (end == std::string_view::npos) throw unreadable("it ends too early");
        const auto taken = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return taken;
    }

    template <class Number>
    Number number() {
        const auto digits = line();
        Number value{};
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (failure != std::errc() || end != digits.data() + digits.size()) throw unreadable("a number is missing");
        return value;
    }

    std::string_view text(std::size_t size) {
        if (size > text_.size()) throw unreadable("it ends too early");
        const auto taken = text_.substr(0, size);
        text_.remove_prefix(size);
        return taken;
    }

    std::string_view rest() const { return text_; }

private:
    std::string_view text_;
};

void call_message::add(std::string_view value) { ((payload += std::to_string(value.size())) += '\n') += value; }

std::vector<std::string_view> call_message::values_in() const {
    std::vector<std::string_view> all;
    for (line_reader from(payload); !from.rest().empty();) {
        const auto size = from.number<std::size_t>();
        all.push_back(from.text(size));
    }
    return all;
}

std::string call_message::text() const {
    std::string out(1, static_cast<char>(what));
    const auto line = [&out](std::string_view text) { (out += text) += '\n'; };
    line(std::to_string(id));
    switch (what) {
        case kind::request:
            line(reply_to);
            line(service);
            line(method);
            line(std::to_string(deadline.time_since_epoch().count()));
            line(std::to_string(window));
            line(headers.empty() ? std::string() : encode(headers));
            break;
        case kind::cancel: line(reply_to); break;
        case kind::values:
        case kind::end:
            line(reply_to);
            line(std::to_string(number));
            break;
        case kind::credit:
        case kind::again:
            line(std::to_string(number));
            line(std::to_string(taken));
            break;
        case kind::answer:
        case kind::fault:
        case kind::refused: break;
    }
    return out += payload;
}

call_message call_message::parse(std::string_view text) {
    if (text.empty()) throw unreadable("it is empty");
    call_message made;
    made.what = static_cast<kind>(text.front());
    line_reader from(text.substr(1));
    made.id = from.number<std::uint64_t>();
    switch (made.what) {
        case kind::request:
            made.reply_to = from.line();
            made.service = from.line();
            made.method = from.line();
            made.deadline = time_point(duration(from.number<duration::rep>()));
            made.window = from.number<std::size_t>();
            if (const auto headers = from.line(); !headers.empty()) made.headers = decode<header_map>(headers);
            break;
        case kind::cancel: made.reply_to = from.line(); break;
        case kind::values:
        case kind::end:
            made.reply_to = from.line();
            made.number = from.number<std::uint64_t>();
            break;
        case kind::credit:
        case kind::again:
            made.number = from.number<std::uint64_t>();
            made.taken = from.number<std::uint64_t>();
            break;
        case kind::answer:
        case kind::fault:
        case kind::refused: break;
        default: throw unreadable("this version does not know its kind");
    }
    made.payload = from.rest();
    return made;
}

std::string board_of(std::string_view service) { return "taskflux/service/" + std::string(service); }

}  // namespace taskflux::detail
