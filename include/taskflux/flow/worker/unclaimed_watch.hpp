#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Finds tasks that nobody takes for long among those that a worker has no handler for: other workers have one for most, and may
/// only be busy. Not thread-safe.
class unclaimed_watch {
public:
    /// A name that is to be told of, its queue, and for how long at least its first task has waited.
    struct finding {
        std::string queue;
        std::string name;
        duration waited{};
    };

    explicit unclaimed_watch(duration patience) : patience_(patience) {}

    /// The names of which the same task is still there after `patience`; each once, ever. `queues`: those that `seen` means;
    /// `known`: what the worker has handlers for.
    std::vector<finding> see(const std::vector<unclaimed_task>& seen, const std::vector<std::string>& queues,
                             const name_set& known, time_point now) {
        std::vector<finding> found;
        std::map<place, sight> still;
        for (const auto& one : seen) {
            if (known.contains(one.name)) continue;
            const auto before = sights_.find({one.queue, one.name});
            auto& here = still[{one.queue, one.name}];
            const bool is_same = before != sights_.end() && before->second.sequence == one.sequence;
            here = is_same ? before->second : sight{one.sequence, now};
            if (now - here.since < patience_ || !told_.insert({one.queue, one.name}).second) continue;
            found.push_back({queues[one.queue], one.name, now - here.since});
        }
        sights_ = std::move(still);
        return found;
    }

private:
    using place = std::pair<std::size_t, std::string>;  // the queue's index, and the name
    struct sight {
        std::uint64_t sequence = 0;
        time_point since{};
    };

    const duration patience_;
    std::map<place, sight> sights_;
    std::set<place> told_;
};

}  // namespace taskflux::detail
