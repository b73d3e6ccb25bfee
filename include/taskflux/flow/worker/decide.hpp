#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/control.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/retry_delay.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace taskflux::detail {

/// The settlement of an attempt that returned `result`.
inline settlement succeeded(const delivery& what, std::string result) {
    settlement end;
    end.key = what.key;
    end.token = what.token;
    end.data = std::move(result);
    return end;
}

/// An attempt that has not succeeded, as `decide` needs to know it.
struct failed_attempt {
    const delivery* what = nullptr;
    retry_policy::predicate retry_if = nullptr;  ///< of the worker's own contract
    std::optional<errc> stopped;                 ///< why its handler was cancelled, if it was
    std::optional<departure> departed;           ///< why it ended before its handler did, whatever that has thrown
    std::exception_ptr error;
};

/// The settlement of an attempt that ended at `now` without success; nothing where its lease was lost.
template <class Generator>
std::optional<settlement> decide(const failed_attempt& attempt, time_point now, Generator& random) {
    const auto& what = *attempt.what;
    settlement end;
    end.key = what.key;
    end.token = what.token;
    if (attempt.stopped == errc::lease_lost) return std::nullopt;
    if (attempt.stopped == errc::cancelled) return end.how = settlement::kind::cancel, end;
    if (attempt.stopped == errc::shut_down) return end.how = settlement::kind::release, end;
    if (attempt.departed) {
        if (attempt.departed->is_lost) return std::nullopt;
        end.how = settlement::kind::suspend;
        end.data = attempt.departed->awaited;
        end.delay = attempt.departed->delay;
        return end;
    }

    end.how = settlement::kind::fail;
    end.data = encode(describe(attempt.error));
    if (attempt.stopped == errc::timed_out) return end;  // the overall deadline
    try {
        std::rethrow_exception(attempt.error);
    } catch (const bad_payload&) {
        return end;
    } catch (const discard&) {
        return end;
    } catch (const retry_after& e) {
        if (later(now, e.delay()) >= what.deadline_at) return end;
        end.how = settlement::kind::retry;
        end.delay = e.delay();
        end.counts = false;
        return end;
    } catch (const throttled& e) {
        end.how = settlement::kind::throttle;
        end.data.clear();
        end.delay = e.delay();
        return end;
    } catch (const described_error&) {  // a fault, or a failed task or call, whatever its code
    } catch (const error& e) {
        if (e.code() == errc::journal_mismatch) return end;  // a retry would fail again
    } catch (...) {  // any other failure: the policy decides
    }
    try {
        if (attempt.retry_if && !attempt.retry_if(attempt.error)) return end;
    } catch (...) {  // a predicate that throws: no other attempt
        return end;
    }
    const auto delay = next_delay(what.spec->policy.retry, what.attempt, now - what.first_started_at, random);
    if (delay && later(now, *delay) < what.deadline_at) {  // else the deadline would end it before
        end.how = settlement::kind::retry;
        end.delay = *delay;
    }
    return end;
}

}  // namespace taskflux::detail
