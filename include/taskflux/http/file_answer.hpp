#pragma once

#include <taskflux/http/conditional.hpp>
#include <taskflux/http/range.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// What a GET or HEAD asks of a file. Views of its fields, several of one name joined by commas.
struct file_question {
    conditional_fields conditions;
    std::optional<std::string_view> range, if_range;
};

/// What a file is, as `stored_file` says it, and how it is called.
struct file_subject {
    std::string_view name;  ///< for the client
    std::string_view type;  ///< as of `file_type`
    std::uint64_t size = 0;
    validators current;
};

/// A piece of a body: bytes of the file, or, where there is no range, the text itself.
struct file_piece {
    std::string text;
    std::optional<byte_range> range;
};

/// How a file is answered: status, fields and body. A value, without the file's bytes.
struct file_answer {
    unsigned status = 200;                                    ///< 200, 206, 304, 412 or 416
    std::vector<std::pair<std::string, std::string>> fields;  ///< but for Content-Length
    std::vector<file_piece> body;                             ///< of a GET
    std::uint64_t length = 0;                                 ///< of the body, for Content-Length; also for a HEAD
};

/// Decides on a download: conditions, then ranges. It is an attachment, whose type browsers do not guess. `boundary`: for several
/// ranges, some random letters.
file_answer answer_file(const file_question& asked, const file_subject& file, std::string_view boundary,
                        std::chrono::sys_seconds now);

}  // namespace taskflux::http
