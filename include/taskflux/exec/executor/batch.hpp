#pragma once

#include <taskflux/exec/executor/callable.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/exec/executor/submission.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/system/result.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

/// A result, or the error in its place: `has_value()`, `value()` (throws the error), `error()`.
template <class R>
using outcome = boost::system::result<R, std::exception_ptr>;

namespace detail {

/// The results of a batch, in the order of its arguments.
template <class R>
struct gathered {
    using type = std::vector<R>;
};
template <>
struct gathered<void> {
    using type = void;
};

/// How the outcomes of a batch are delivered: each by itself, or all results or the first error.
template <class R, bool Each>
using batch_result = std::conditional_t<Each, std::vector<outcome<R>>, typename gathered<R>::type>;

/// What the jobs of one batch share.
template <class R, bool Each, class Handler>
class batch : public boost::intrusive_ref_counter<batch<R, Each, Handler>> {
public:
    batch(std::size_t n, Handler handler, const asio::any_io_executor& fallback)
        : ends_(n), open_(n), home_(fallback), receiver_(std::in_place, std::move(handler), fallback) {}

    void keep_for_cancel(boost::intrusive_ptr<executor_job> j) { jobs_.push_back(std::move(j)); }

    void cancel(executor_state& owner) {
        for (const auto& j : jobs_) owner.cancel(*j, errc::cancelled);
    }

    void ended(std::size_t at, std::exception_ptr error, std::optional<stored<R>> result) noexcept {
        ends_[at].error = std::move(error);
        ends_[at].result = std::move(result);
        if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) complete();
    }

    void let_go() noexcept { receiver_.reset(); }

    /// Hands over what there is.
    void complete() {
        auto& to = receiver_;
        if constexpr (Each) {
            std::vector<outcome<R>> all;
            all.reserve(ends_.size());
            for (auto& one : ends_) {
                if (one.error) {
                    all.emplace_back(boost::system::in_place_error, std::move(one.error));
                } else if constexpr (std::is_void_v<R>) {
                    all.emplace_back();
                } else {
                    all.emplace_back(boost::system::in_place_value, std::move(*one.result));
                }
            }
            to->complete(nullptr, std::move(all), false, home_);
        } else {
            for (auto& one : ends_) {
                if (one.error) return to->complete(std::move(one.error), std::nullopt, false, home_);
            }
            if constexpr (std::is_void_v<R>) {
                to->complete(nullptr, std::monostate(), false, home_);
            } else {
                std::vector<R> all;
                all.reserve(ends_.size());
                for (auto& one : ends_) all.push_back(std::move(*one.result));
                to->complete(nullptr, std::move(all), false, home_);
            }
        }
    }

private:
    struct ending {
        std::exception_ptr error;
        std::optional<stored<R>> result;
    };

    std::vector<ending> ends_;
    std::atomic<std::size_t> open_;
    const asio::any_io_executor home_;
    std::optional<receiver<batch_result<R, Each>, Handler>> receiver_;
    std::vector<boost::intrusive_ptr<executor_job>> jobs_;
};

/// One job of a batch.
template <class R, class Batch>
class batch_job : public executor_job {
protected:
    batch_job(kind k, executor_state& owner, boost::intrusive_ptr<Batch> to, std::size_t at)
        : executor_job(k, owner), batch_(std::move(to)), at_(at) {}

    void deliver(std::exception_ptr error, bool) override {
        const auto to = std::move(batch_);
        to->ended(at_, std::move(error), std::move(result));
    }
    void let_go() noexcept override {
        const auto to = std::move(batch_);
        if (to) to->let_go();
    }

    std::optional<stored<R>> result;

private:
    boost::intrusive_ptr<Batch> batch_;
    std::size_t at_;
};

/// What `executor::submit_all` returns: an operation that starts when awaited, or called with a token.
template <bool Each, class Call>
class [[nodiscard]] batch_submission {
    using item = typename Call::result;
    using result = batch_result<item, Each>;

public:
    batch_submission(std::shared_ptr<executor_state> owner, std::vector<Call> calls)
        : owner_(std::move(owner)), calls_(std::move(calls)) {}

    template <asio::completion_token_for<typename completion<result>::signature> Token>
    auto operator()(Token&& token) && {
        return asio::async_initiate<Token, typename completion<result>::signature>(
            []<class Handler>(Handler handler, batch_submission self) { self.start(std::move(handler)); },
            token, std::move(*this));
    }

private:
    template <class Handler>
    void start(Handler handler) {
        using batch_type = batch<item, Each, Handler>;
        auto cancellation = asio::get_associated_cancellation_slot(handler);
        const boost::intrusive_ptr<batch_type> to =
            new batch_type(calls_.size(), std::move(handler), owner_->get_executor());
        if (calls_.empty()) return to->complete();
        slot_job_list jobs;
        for (std::size_t at = 0; at < calls_.size(); ++at) {
            boost::intrusive_ptr<executor_job> j(
                new call_job<batch_job<item, batch_type>, Call>(*owner_, std::move(calls_[at]), to, at),
                false);
            if (cancellation.is_connected()) to->keep_for_cancel(j);
            jobs.push_back(*j.detach());
        }
        if (cancellation.is_connected()) {
            cancellation.assign([owner = std::weak_ptr(owner_->shared()), to](asio::cancellation_type type) {
                if (type == asio::cancellation_type::none) return;
                if (const auto alive = owner.lock()) to->cancel(*alive);
            });
        }
        owner_->launch_all(jobs, Call::repeatable);
    }

    std::shared_ptr<executor_state> owner_;
    std::vector<Call> calls_;
};

}  // namespace detail
}  // namespace taskflux
