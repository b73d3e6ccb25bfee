#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// The call that a method serves: its headers and its deadline. Valid until the method returns. Thread-safe.
///
/// Cancellation reaches a coroutine through its own cancellation slot; a plain function asks `cancelled()`.
class call_context {
public:
    /// Made by the service.
    call_context(taskflux::clock& clock, std::string service, std::string method, header_map headers, time_point deadline)
        : clock_(clock), service_(std::move(service)), method_(std::move(method)), headers_(std::move(headers)),
          deadline_(deadline) {}
    call_context(const call_context&) = delete;
    call_context& operator=(const call_context&) = delete;

    const std::string& service() const { return service_; }
    const std::string& method() const { return method_; }

    /// For the library: how errors name it.
    std::string subject() const { return "method " + service_ + '.' + method_; }

    const header_map& headers() const { return headers_; }

    /// The header's value, or empty.
    std::string_view header(std::string_view name) const {
        const auto found = headers_.find(name);
        return found == headers_.end() ? std::string_view() : std::string_view(found->second);
    }

    /// When the caller stops waiting, in the broker's time; calls that this one makes should end by then.
    time_point deadline() const { return deadline_; }

    /// Time until the deadline; zero when it has passed.
    duration remaining() const { return (std::max)(deadline_ - clock_.now(), duration::zero()); }

    /// Whether the method should end now: its caller has stopped waiting, or the service shuts down.
    bool cancelled() const { return is_cancelled_ || clock_.now() >= deadline_; }

    /// For the service.
    void cancel() { is_cancelled_ = true; }
    void attach(std::shared_ptr<detail::outlet> values) { values_ = std::move(values); }
    std::shared_ptr<detail::outlet> open_outlet() const { return values_; }

private:
    taskflux::clock& clock_;
    const std::string service_;
    const std::string method_;
    const header_map headers_;
    const time_point deadline_;
    std::atomic<bool> is_cancelled_ = false;
    std::shared_ptr<detail::outlet> values_;  // null: nobody reads
};

}  // namespace taskflux
