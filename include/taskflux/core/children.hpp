#pragma once

#include <cstddef>
#include <string>

namespace taskflux {

/// How many subtasks a task has spawned, and what has become of them.
struct children_counts {
    std::size_t total = 0;
    std::size_t done = 0;    ///< ended, in whatever way
    std::size_t failed = 0;  ///< of those, without success

    friend bool operator==(const children_counts&, const children_counts&) = default;
};

/// What a policy begins with as it is stored.
struct policy_letter {
    static constexpr char fail_fast = 'f', collect = 'c', quorum = 'q';
};

/// When a task that waits for the subtasks it has spawned has succeeded, and when it has failed. Subtasks that are open
/// by then are cancelled.
class children_policy {
public:
    /// `fail_fast`.
    constexpr children_policy() {}

    /// The first one that does not succeed fails the task.
    static constexpr children_policy fail_fast() { return {}; }

    /// All are waited for, and the task succeeds whatever became of them.
    static constexpr children_policy collect() { return children_policy(kind::collect, 0); }

    /// The task succeeds with the `needed`-th success, and fails when that can't come any more.
    static constexpr children_policy quorum(std::size_t needed) { return children_policy(kind::quorum, needed); }

    enum class verdict { wait, succeed, fail };

    constexpr verdict judge(const children_counts& counts) const {
        const auto succeeded = counts.done - counts.failed;
        if (kind_ == kind::quorum) {
            if (succeeded >= needed_) return verdict::succeed;
            return counts.total - counts.failed < needed_ ? verdict::fail : verdict::wait;
        }
        if (kind_ == kind::fail_fast && counts.failed > 0) return verdict::fail;
        return counts.done == counts.total ? verdict::succeed : verdict::wait;
    }

    /// As it is stored: a `policy_letter`, and of a quorum a number behind it.
    std::string text() const {
        switch (kind_) {
            case kind::fail_fast: return {policy_letter::fail_fast};
            case kind::collect: return {policy_letter::collect};
            case kind::quorum: return policy_letter::quorum + std::to_string(needed_);
        }
        return {};
    }

    friend constexpr bool operator==(const children_policy&, const children_policy&) = default;

private:
    enum class kind { fail_fast, collect, quorum };

    constexpr children_policy(kind which, std::size_t needed) : kind_(which), needed_(needed) {}

    kind kind_ = kind::fail_fast;
    std::size_t needed_ = 0;
};

}  // namespace taskflux
