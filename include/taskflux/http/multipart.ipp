#pragma once

#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/content_disposition.hpp>
#include <taskflux/http/multipart.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

multipart_boundary multipart_boundary::of(const std::optional<media_type>& content_type) {
    constexpr std::string_view others = "'()+_,-./:=? ";
    constexpr std::size_t longest = 70;  // RFC 2046, section 5.1.1
    multipart_boundary made;
    if (!content_type || content_type->essence() != "multipart/form-data") {
        made.refused_.emplace(415, "the body must be a form: send it as multipart/form-data");
        return made;
    }
    const auto* const boundary = content_type->parameter("boundary");
    const auto is_allowed = [&](char c) {
        return syntax::is_digit(c) || syntax::is_letter(c) || (c != '\0' && others.find(c) != std::string_view::npos);
    };
    if (!boundary) {
        made.refused_.emplace(400, "the Content-Type of the form has no boundary: let the HTTP library write this header");
    } else if (boundary->empty() || boundary->size() > longest || boundary->back() == ' ' ||
               !std::ranges::all_of(*boundary, is_allowed)) {
        made.refused_.emplace(
            400, "the boundary in the form's Content-Type is not valid: it has 1 to 70 letters, digits or '()+_,-./:=?");
    } else {
        made.text_ = *boundary;
    }
    return made;
}

multipart_reader::multipart_reader(std::string_view boundary, multipart_limits limits)
    : delimiter_("\r\n--" + std::string(boundary)), limits_(limits) {}

multipart_event multipart_reader::fail(unsigned status, const std::string& text) {
    failure_.emplace(status, "the form is not valid at byte " + std::to_string(position_) + " of the body: " + text);
    input_ = {};
    return multipart_event::failed;
}

void multipart_reader::finish() {
    if (failure_ || state_ == state::epilogue) return;
    const bool has_begun = state_ != state::preamble;
    fail(400, has_begun
                  ? "it ends without its last boundary, so a part of it is missing; send it again"
                  : "it has none of the boundaries that its Content-Type names; begin each part with two dashes and the boundary");
}

multipart_event multipart_reader::next() {
    while (!failure_ && !input_.empty()) {
        if (state_ == state::preamble || state_ == state::body) {
            const auto event = read_data();
            if (event != multipart_event::more) return event;
            continue;
        }
        if (state_ == state::epilogue) {
            position_ += input_.size();
            input_ = {};
            break;
        }
        const char c = input_.front();
        input_.remove_prefix(1);
        ++position_;
        if (!(state_ == state::head ? read_head(c) : read_boundary_end(c))) return multipart_event::failed;
        if (state_ == state::epilogue) return multipart_event::end;
        if (state_ == state::body) return multipart_event::part;
    }
    return failure_ ? multipart_event::failed : multipart_event::more;
}

multipart_event multipart_reader::read_data() {
    const auto take = [this](std::size_t count) {
        const auto taken = input_.substr(0, count);
        input_.remove_prefix(taken.size());
        position_ += taken.size();
        return taken;
    };
    const bool is_shown = state_ == state::body;
    if (matched_ == 0) {
        bytes_ = take((std::min)(input_.find('\r'), input_.size()));
        if (!bytes_.empty()) return is_shown ? multipart_event::bytes : multipart_event::more;
    }
    const auto rest = std::string_view(delimiter_).substr(matched_);
    const auto longest = (std::min)(rest.size(), input_.size());
    const auto same = static_cast<std::size_t>(
        std::mismatch(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(longest), input_.begin()).first - rest.begin());
    take(same);
    matched_ += same;
    if (matched_ == delimiter_.size()) {
        matched_ = given_ = 0;
        padding_ = 0;
        state_ = state::boundary_end;
        return multipart_event::more;
    }
    if (same == longest) return multipart_event::more;
    // It was data.
    bytes_ = std::string_view(delimiter_).substr(given_, matched_ - given_);
    matched_ = given_ = 0;
    return is_shown && !bytes_.empty() ? multipart_event::bytes : multipart_event::more;
}

bool multipart_reader::read_boundary_end(char c) {
    const auto expected = [this] {
        fail(400, "a boundary is followed by neither a line end nor two dashes");
        return false;
    };
    switch (state_) {
        case state::boundary_end:
            if (c == '-') return state_ = state::last_dash, true;
            [[fallthrough]];
        case state::padding:
            if (syntax::is_blank(c) && ++padding_ <= limits_.head()) return state_ = state::padding, true;
            if (c != '\r') return expected();
            state_ = state::line_end;
            return true;
        case state::last_dash:
            if (c != '-') return expected();
            state_ = state::epilogue;
            return true;
        case state::line_end:
            if (c != '\n') return expected();
            if (++parts_ > limits_.parts()) {
                fail(413, "it has more than " + std::to_string(limits_.parts()) + " parts; send fewer in one request");
                return false;
            }
            state_ = state::head;
            head_size_ = 0;
            has_disposition_ = false;
            next_part_.emplace();
            return true;
        case state::preamble:
        case state::body:
        case state::head:
        case state::epilogue: break;
    }
    return true;
}

bool multipart_reader::read_head(char c) {
    if (++head_size_ > limits_.head()) {
        fail(400,
             "the fields at the head of a part have more than " + std::to_string(limits_.head()) + " bytes; send shorter names");
        return false;
    }
    if (std::exchange(has_return_, false)) {
        if (c == '\n') return end_of_line();
        fail(400, "a line of a part's head ends with CR alone; lines end with CR LF");
        return false;
    }
    if (c == '\r') {
        has_return_ = true;
        return true;
    }
    if (!syntax::is_field_character(c)) {
        fail(400, c == '\n' ? "a line of a part's head ends with LF alone; lines end with CR LF"
                            : "a control character stands in the head of a part");
        return false;
    }
    line_ += c;
    return true;
}

bool multipart_reader::end_of_line() {
    const auto line = std::exchange(line_, {});
    if (line.empty()) return begin_part();
    const auto colon = line.find(':');
    const auto name = std::string_view(line).substr(0, colon);
    if (colon == std::string::npos || !syntax::is_token(name)) {
        fail(400, "a line at the head of a part is no field (name: value): " + taskflux::detail::in_quotes(line));
        return false;
    }
    const auto value = syntax::trimmed(std::string_view(line).substr(colon + 1));
    if (syntax::same_word(name, "Content-Type")) next_part_->content_type = value;
    if (!syntax::same_word(name, "Content-Disposition")) return true;
    auto read = parse_content_disposition(value);
    if (!read || read->type != "form-data" || !read->name || std::exchange(has_disposition_, true)) {
        fail(400,
             "not the one Content-Disposition of a part, in UTF-8, as in: form-data; name=\"file\"; filename=\"a.txt\"; it is " +
                 taskflux::detail::in_quotes(value));
        return false;
    }
    next_part_->name = std::move(*read->name);
    next_part_->file_name = std::move(read->file_name);
    return true;
}

bool multipart_reader::begin_part() {
    if (!has_disposition_) {
        fail(400, "a part has no Content-Disposition; it needs one that names its field, as in: form-data; name=\"file\"");
        return false;
    }
    part_ = std::move(*next_part_);
    next_part_.reset();
    state_ = state::body;
    matched_ = given_ = 2;  // where a part is empty, the line end of its head may be that of the boundary
    return true;
}

}  // namespace taskflux::http
