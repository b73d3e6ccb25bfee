#pragma once

#include <string>
#include <utility>

namespace taskflux::http {

/// Why a request is not served: the status of the answer, and a text that says what was wrong, where, and what would be right.
/// A value, since what clients send wrongly is routine.
class refusal {
public:
    refusal(unsigned status, std::string text) : status_(status), text_(std::move(text)) {}

    unsigned status() const { return status_; }
    const std::string& text() const { return text_; }

    friend bool operator==(const refusal&, const refusal&) = default;

private:
    unsigned status_;
    std::string text_;
};

}  // namespace taskflux::http
