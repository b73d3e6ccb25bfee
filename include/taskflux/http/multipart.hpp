#pragma once

#include <taskflux/http/media_type.hpp>
#include <taskflux/http/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

/// How much the head of a form's parts may have. What they hold is bounded by who reads it.
class multipart_limits {
public:
    multipart_limits() = default;

    /// How many parts, 64 by default.
    multipart_limits& parts(std::size_t most) { return parts_ = most, *this; }
    /// How many bytes the fields at the head of one part may have, 8 KiB by default.
    multipart_limits& head(std::size_t bytes) { return head_ = bytes, *this; }

    std::size_t parts() const { return parts_; }
    std::size_t head() const { return head_; }

private:
    std::size_t parts_ = 64, head_ = 8192;
};

/// What the head of a part says.
struct multipart_part {
    std::string name;                      ///< of the field
    std::optional<std::string> file_name;  ///< in UTF-8, as it was given: check it before it names a file
    std::string content_type;              ///< as it was given; empty: it has none
};

/// The boundary of a multipart/form-data body. A refusal: 415 for another type, 400 for a boundary that is missing or not valid.
class multipart_boundary {
public:
    static multipart_boundary of(const std::optional<media_type>& content_type);

    const std::optional<refusal>& refused() const { return refused_; }
    const std::string& text() const { return text_; }

private:
    std::string text_;
    std::optional<refusal> refused_;
};

/// What comes next in a form.
enum class multipart_event {
    part,   ///< a part begins: `part()`
    bytes,  ///< of the part: `bytes()`
    more,   ///< all that was put in is read: `put` what follows, or `finish`
    end,    ///< the last boundary was read; what follows it is passed over
    failed  ///< it is no form: `failure()`. This stays so
};

/// Reads a body of multipart/form-data (RFC 7578) as it arrives, in constant memory: `put` bytes, and take what `next` gives
/// until it asks for more. The bytes of a part end where another part or the end comes. Not thread-safe.
class multipart_reader {
public:
    explicit multipart_reader(std::string_view boundary, multipart_limits limits = multipart_limits());

    /// The next bytes of the body. They must stay until `next` gives `more`: `bytes()` shows them.
    void put(std::string_view bytes) { input_ = bytes; }

    /// The body has ended: a form whose last boundary is missing has failed.
    void finish();

    multipart_event next();

    const multipart_part& part() const { return part_; }  ///< of the last `part`
    std::string_view bytes() const { return bytes_; }     ///< of the last `bytes`, until the next call
    const refusal& failure() const { return *failure_; }  ///< where it has `failed`
    std::uint64_t position() const { return position_; }  ///< how many bytes of the body are read

private:
    enum class state { preamble, body, boundary_end, padding, line_end, last_dash, head, epilogue };

    multipart_event read_data();
    bool read_boundary_end(char c);
    bool read_head(char c);
    bool end_of_line();
    bool begin_part();
    multipart_event fail(unsigned status, const std::string& text);

    const std::string delimiter_;  // CR LF - - boundary: no other CR is in it, so a match begins at a CR alone
    const multipart_limits limits_;
    std::string_view input_, bytes_;
    std::uint64_t position_ = 0;
    std::size_t matched_ = 2;  // of the delimiter
    std::size_t given_ = 2;    // of that, what was not in the body: its beginning stands for a line end
    state state_ = state::preamble;
    std::size_t parts_ = 0, head_size_ = 0, padding_ = 0;
    std::string line_;
    bool has_return_ = false;
    std::optional<multipart_part> next_part_;
    bool has_disposition_ = false;
    multipart_part part_;
    std::optional<refusal> failure_;
};

}  // namespace taskflux::http
