#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/history.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/task/failure.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

/// Whether the broker gave a task up because its workers had died under it. A handler that lets a subtask's crash through fails
/// with the same code, and the type of what it threw.
inline bool is_crash(std::string_view failed_with) { return failed_with.starts_with(R"({"code":"crashed","type":"",)"); }

/// What a task's state tells of its last attempt: the one under way, or the one that has ended it. `last` has token, consumer and
/// times; `failed` attempts have failed by now. Nothing where it has none, or another kind of end has been stored.
inline std::optional<past_attempt> attempt_of(task_state state, past_attempt last, unsigned failed, std::string error) {
    if (last.token == 0 || last.started_at == time_point{}) return std::nullopt;
    switch (state) {
        case task_state::running:
            last.attempt = failed + 1;
            last.ended_at = {};
            return last;
        case task_state::succeeded:
            last.attempt = failed + 1;
            last.outcome = attempt_outcome::succeeded;
            return last;
        case task_state::failed:
            last.outcome = is_crash(error) ? attempt_outcome::lost : attempt_outcome::failed;
            last.attempt = is_crash(error) ? failed + 1 : (std::max)(failed, 1U);
            last.error_size = error.size();
            last.error = std::move(error);
            return last;
        case task_state::cancelled:
            last.attempt = (std::max)(failed, 1U);
            last.outcome = attempt_outcome::cancelled;
            return last;
        case task_state::held:
        case task_state::scheduled:
        case task_state::waiting:
        case task_state::waiting_children:
        case task_state::expired: break;
    }
    return std::nullopt;
}

/// Whether an attempt neither succeeded nor failed: a task may have any number of such.
inline bool is_pause(attempt_outcome outcome) {
    return outcome == attempt_outcome::postponed || outcome == attempt_outcome::released || outcome == attempt_outcome::suspended;
}

/// Adds the attempt that a task's state tells of, unless it has been stored: then the state has its whole error. `newest`: the
/// token of the last one that has been stored, also where it can't be read.
inline void add_last(attempt_list& to, std::uint32_t newest, std::optional<past_attempt> last) {
    if (!last) return;
    if (newest != last->token) return to.attempts.push_back(std::move(*last));
    if (to.attempts.empty()) return;
    auto& stored = to.attempts.back();
    if (stored.token != last->token || stored.outcome != last->outcome) return;
    stored.error = std::move(last->error);
    stored.error_size = last->error_size;
}

/// The number of the first line that a query is for. Throws `invalid_argument`.
inline std::uint64_t first_line(const log_query& query) {
    if (query.cursor.empty()) return 1;
    std::uint64_t number = 0;
    const auto* const end = query.cursor.data() + query.cursor.size();
    const auto read = std::from_chars(query.cursor.data(), end, number);
    constexpr auto most = 2 * most_kept::log_numbers;  // lines behind that with the largest number have some, too
    if (read.ec == std::errc() && read.ptr == end && number > 0 && number < most) return number;
    throw error(errc::invalid_argument, "\"" + query.cursor + "\" is no cursor of a task's log: take the one that `log` has given");
}

}  // namespace taskflux::detail
