#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

/// Holds an inlet for its reader.
class reading {
public:
    reading() {}
    explicit reading(std::shared_ptr<inlet> from) : from_(std::move(from)) {}
    reading(reading&&) = default;
    reading& operator=(reading&& other) noexcept {
        std::swap(from_, other.from_);
        return *this;
    }
    ~reading();

    /// See `inlet::next`.
    asio::awaitable<std::optional<std::string>> next() const;

private:
    std::shared_ptr<inlet> from_;
};

}  // namespace taskflux::detail
