#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/detail/intrusive_list.hpp>
#include <taskflux/flow/worker/attempt.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace taskflux::detail {

/// The attempts that a worker runs, so that one or all can be cancelled. Thread-safe.
class running_attempts {
public:
    void add(intrusive_list<attempt>& more) {
        const std::lock_guard lock(mutex_);
        list_.append(more);
    }

    void remove(attempt& one) {
        const std::lock_guard lock(mutex_);
        list_.erase(one);
    }

    boost::intrusive_ptr<attempt> find(const std::string& queue, const cancel_request& wanted) const {
        const std::lock_guard lock(mutex_);
        for (auto* one = list_.front(); one; one = intrusive_list<attempt>::next(*one)) {
            const auto& what = one->what();
            if (what.key == wanted.key && what.token == wanted.token && one->id().queue == queue) return one;
        }
        return nullptr;
    }

    std::vector<boost::intrusive_ptr<attempt>> all() const {
        const std::lock_guard lock(mutex_);
        std::vector<boost::intrusive_ptr<attempt>> found;
        for (auto* one = list_.front(); one; one = intrusive_list<attempt>::next(*one)) found.push_back(one);
        return found;
    }

private:
    mutable std::mutex mutex_;
    intrusive_list<attempt> list_;
};

}  // namespace taskflux::detail
