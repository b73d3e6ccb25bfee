#pragma once

#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::detail {

/// What passes between who calls and who serves; docs/wire-format.md.
struct call_letter {
    enum class kind : char {
        request = 'Q',  ///< to a service: all members but number and taken
        cancel = 'X',   ///< to a service: id, reply_to
        answer = 'A',   ///< to who has called: id, payload
        fault = 'F',    ///< to who has called: id, payload: a `failure`
        refused = 'R',  ///< to who has called: id; it has not been taken, and another instance may be called
        values = 'V',   ///< of a stream, to its reader: reply_to, number: of the first one, payload: `add`
        end = 'E',      ///< of a stream, to its reader: reply_to, number: how many values there were
        credit = 'C',   ///< to where a stream comes from: number: how many have been received, the end as one; taken
        again = 'G'     ///< the same; what has not been received is to be sent again
    };

    kind what = kind::request;
    std::uint64_t id = 0;
    std::string reply_to;              ///< empty: nobody waits
    std::string service;
    std::string method;
    time_point deadline = never;
    header_map headers;
    std::size_t window = 0;            ///< of a request: how many values it has room for; 0: it wants no stream
    std::uint64_t number = 0;
    std::uint64_t taken = 0;
    std::string payload;

    /// Adds a value to the payload.
    void add(std::string_view value);

    /// The values in the payload; throws `errc::protocol`.
    std::vector<std::string_view> values_in() const;

    std::string text() const;

    /// Throws `errc::protocol`.
    static call_letter parse(std::string_view text);
};

/// Bytes of a stream that its reader has not taken, at most, beside one value.
inline constexpr std::size_t stream_bytes = 1024 * 1024;

/// The board of a service's instances.
std::string board_of(std::string_view service);

/// The board that names the services.
inline constexpr const char* services_board = "taskflux/services";

}  // namespace taskflux::detail
