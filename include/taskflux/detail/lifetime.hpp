#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <functional>
#include <string>

namespace taskflux::detail {

/// How far a core is: whether its `live` is under way, whether it was stopped, whether its object is destroyed. An object
/// should be kept until `run` has returned; where it is not, that is said once. Thread-safe.
class lifetime {
public:
    using sayer = std::function<void(std::string)>;

    /// `live` runs on `strand`. `lost`: what becomes of the core's work when the object is destroyed while `live` is under way.
    /// `say` gets what is said of a destruction that comes too early.
    lifetime(asio::any_io_executor strand, std::string lost, sayer say);

    /// To be held by `live`, from its begin.
    class mark {
    public:
        explicit mark(lifetime& of);
        ~mark();
        mark(const mark&) = delete;
        mark& operator=(const mark&) = delete;

        /// Whether the object was destroyed before, without a stop, which has been said.
        bool is_too_late() const { return is_too_late_; }

    private:
        lifetime& of_;
        bool is_too_late_ = false;
    };

    void stop() { state_ |= stopped; }
    bool is_stopped() const { return (state_ & stopped) != 0; }
    bool is_under_way() const { return (state_ & under_way) != 0; }

    /// The object is destroyed, which stops its core. Says so if `live` is under way; not where its context has been stopped as
    /// a whole.
    void abandon();

private:
    static constexpr unsigned under_way = 1, stopped = 2, orphaned = 4;  // orphaned: nobody had stopped it before

    bool is_context_stopped() const;

    const asio::any_io_executor strand_;
    const std::string lost_;
    const sayer say_;
    std::atomic<unsigned> state_ = 0;
};

}  // namespace taskflux::detail
