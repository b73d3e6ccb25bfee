#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/permission.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <utility>

namespace taskflux::http {

class call;

/// Who makes a request, and what they may do.
class identity {
public:
    /// Somebody who has not logged in, and may do nothing that asks for a permission.
    identity() = default;
    identity(std::string name, permission may) : name_(std::move(name)), may_(may) {}

    /// Empty for nobody in particular.
    const std::string& name() const { return name_; }
    permission may() const { return may_; }

private:
    std::string name_;
    permission may_ = permission::none;
};

/// Finds out who makes a request, by its headers. Called for each request whose route asks for a permission, before its body is
/// read. Returns who it is; throws a `problem` (401 with `WWW-Authenticate`, 429 with `Retry-After`) for who is refused. The call
/// is there until it has returned. Called on any thread that runs the gateway, several at a time.
using authenticator = std::function<asio::awaitable<identity>(call&)>;

}  // namespace taskflux::http
