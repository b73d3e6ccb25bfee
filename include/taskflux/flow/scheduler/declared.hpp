#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/schedule.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The row of that id; nullptr where there is none.
const schedule_row* row_in(const std::vector<schedule_row>& rows, const std::string& id);

/// The schedules that one scheduler has stored, those of its local jobs too, and that nobody has removed or replaced since; and
/// the queues in which it has found others of their ids. Thread-safe.
class declared_schedules {
    struct stored {
        std::string queue;
        schedule_definition what;

        bool operator==(const stored&) const = default;
    };
    struct declared {
        stored wanted;              // by the latest claim, or as it is stored
        std::optional<stored> kept;  // nothing while none of the claims has stored it
        unsigned claims = 0;        // those that are storing it
        std::uint64_t since = 0;    // the look before it was stored
        std::string seen;           // its row's text, when the queue was read last; empty: it was not there
    };
    using name = std::pair<bool, std::string>;  // whether it is a local job's; its id

public:
    /// A schedule that is being stored, which counts as declared until this is destroyed, and from `keep` on for good.
    class claim {
    public:
        claim(const claim&) = delete;
        claim& operator=(const claim&) = delete;
        ~claim();

        /// It is stored, and nowhere else.
        void keep() { is_kept_ = true; }

    private:
        friend class declared_schedules;
        claim(declared_schedules& of, name called, stored what) : of_(of), name_(std::move(called)), what_(std::move(what)) {}

        declared_schedules& of_;
        const name name_;
        const stored what_;
        bool is_kept_ = false;
    };

    /// Errors: `invalid_argument` for another schedule under the name of its task, or one of another task under any id, which
    /// would take the first one's place.
    claim declare(const std::string& queue, const schedule_definition& what, bool has_own_id);

    /// This program has removed what is called so: a task's schedule, and the rows of a local job.
    void forget(const std::string& id);

    /// A look at a queue begins: what is stored from now on may be missing in what it finds.
    std::uint64_t begin_look();

    /// The rows of a queue. What is another schedule by now has been replaced; and what has been there and is not any more has
    /// been removed, unless the queue may have been emptied: `is_same_life` is false.
    void see(const std::string& queue, const std::vector<schedule_row>& rows, bool is_same_life, std::uint64_t look);

    /// The schedules that were stored in a queue, and are not there.
    std::vector<schedule_definition> missing(const std::string& queue, const std::vector<schedule_row>& rows) const;

    /// Where they are stored.
    std::set<std::string> queues() const;

    bool has_looked() const;

    /// `places`: the queues of each id that is stored.
    void look(std::map<std::string, std::set<std::string>> places);

    /// The queues other than `queue` that had a schedule of that id when it looked, until `add`.
    std::vector<std::string> elsewhere(const std::string& queue, const std::string& id) const;

    /// Keeps what was taken from another queue until it is stored again: storing it may fail, and is tried again then.
    void move(const std::string& id, stored_schedule taken);

    std::optional<stored_schedule> moving(const std::string& id) const;

private:
    /// A claim has ended: with what is stored by now, or nullptr.
    void end(const name& called, const stored* what);

    /// It is not stored any more.
    void drop(std::map<name, declared>::iterator at);

    mutable std::mutex mutex_;
    std::map<name, declared> declared_;  // with a claim, or kept
    std::uint64_t look_ = 0;
    std::optional<std::map<std::string, std::set<std::string>>> places_;
    std::map<std::string, stored_schedule> moving_;
};

}  // namespace taskflux::detail
