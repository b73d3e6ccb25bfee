#pragma once

#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::detail {

/// A message between a caller and an instance of a service, or the two ends of a stream; see docs/wire-format.md.
struct call_message {
    enum class kind : char {
        request = 'Q',  ///< to an instance: all members but number and taken
        cancel = 'X',   ///< to an instance: id, reply_to
        answer = 'A',   ///< to the caller: id, payload
        fault = 'F',    ///< to the caller: id, payload: a `failure`
        refused = 'R',  ///< to the caller: id; the call was not taken, and another instance may be called
        values = 'V',   ///< to a stream's reader: reply_to, number: of the first value, payload: see `add`
        end = 'E',      ///< to a stream's reader: reply_to, number: of all values
        credit = 'C',   ///< to a stream's source: number: of values received, the end counts as one; taken
        again = 'G'     ///< like `credit`, and asks for the values that were not received
    };

    kind what = kind::request;
    std::uint64_t id = 0;
    std::string reply_to;              ///< empty: nobody waits
    std::string service;
    std::string method;
    time_point deadline = never;
    header_map headers;
    std::size_t window = 0;            ///< of a request: how many values its reader buffers; 0: no stream
    std::uint64_t number = 0;
    std::uint64_t taken = 0;
    std::string payload;

    /// Adds a value to the payload.
    void add(std::string_view value);

    /// The values in the payload; throws `errc::protocol`.
    std::vector<std::string_view> values_in() const;

    std::string text() const;

    /// Throws `errc::protocol`.
    static call_message parse(std::string_view text);
};

/// The most bytes of a stream that its reader has not read, beside one value.
inline constexpr std::size_t stream_bytes = 1024 * 1024;

/// The board of a service's instances.
std::string board_of(std::string_view service);

/// The board that names the services.
inline constexpr const char* services_board = "taskflux/services";

}  // namespace taskflux::detail
