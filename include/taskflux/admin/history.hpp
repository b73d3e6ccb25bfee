#pragma once

#include <taskflux/broker/history.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/time.hpp>

#include <boost/describe/enum.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace taskflux {

/// What a handler has written into its task's journal.
enum class note_kind { step, sleep, signal, signal_wait, subtask, other };
BOOST_DESCRIBE_ENUM(note_kind, step, sleep, signal, signal_wait, subtask, other)

/// One thing in a task's journal.
struct journal_note {
    note_kind kind = note_kind::other;
    std::string name;             ///< of the call, or of the signal
    time_point at{};              ///< a subtask: submitted; a sleep and a wait with a limit: until when; 0: the journal does not know
    time_point ended_at{};        ///< of a subtask that has ended and whose record is kept
    std::optional<task_state> state;  ///< of a subtask
    std::string task;             ///< the printed id of a subtask whose record is kept
};

/// What has become of a task so far.
struct task_history {
    std::vector<past_attempt> attempts;  ///< oldest first, the one under way last
    std::size_t attempts_left_out = 0;   ///< how many more there have been
    std::vector<journal_note> notes;     ///< those with a time first, by time; then the others, by kind and name
    bool is_cut = false;                 ///< the journal has more than `notes` holds
};

}  // namespace taskflux
