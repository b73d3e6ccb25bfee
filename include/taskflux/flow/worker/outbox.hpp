#pragma once

#include <taskflux/broker/broker.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// What a worker has to tell the broker, gathered by queue and consumer: what comes while a call is under
/// way is the next batch. Thread-safe.
class outbox {
public:
    struct parcel {
        std::string queue;
        std::shared_ptr<const std::string> consumer;
        std::vector<attempt_report> reports;  ///< to be told before the settlements
        std::vector<settlement> settlements;
    };

    /// Says whether it began a parcel, so that somebody must be told. So do both.
    bool add(const std::string& queue, const std::shared_ptr<const std::string>& consumer, settlement end) {
        const std::lock_guard lock(mutex_);
        const auto before = parcels_.size();
        parcel_for(queue, consumer).settlements.push_back(std::move(end));
        return parcels_.size() > before;
    }

    /// Newer progress of an attempt replaces older; log lines add up.
    bool add(const std::string& queue, const std::shared_ptr<const std::string>& consumer, attempt_report news) {
        const std::lock_guard lock(mutex_);
        const auto before = parcels_.size();
        auto& reports = parcel_for(queue, consumer).reports;
        const auto known = std::ranges::find_if(reports, [&](const attempt_report& r) {
            return r.key == news.key && r.token == news.token;
        });
        if (known == reports.end()) {
            reports.push_back(std::move(news));
        } else {
            if (news.progress) known->progress = std::move(news.progress);
            std::ranges::move(news.log, std::back_inserter(known->log));
        }
        return parcels_.size() > before;
    }

    /// Takes the parcels, but for those of `busy` queues: what is there to tell them goes on growing.
    std::vector<parcel> take(const std::vector<std::string>& busy) {
        const std::lock_guard lock(mutex_);
        std::vector<parcel> taken, kept;
        for (auto& one : parcels_) {
            const bool is_busy = std::ranges::find(busy, one.queue) != busy.end();
            (is_busy ? kept : taken).push_back(std::move(one));
        }
        parcels_ = std::move(kept);
        return taken;
    }

    bool empty() const {
        const std::lock_guard lock(mutex_);
        return parcels_.empty();
    }

private:
    parcel& parcel_for(const std::string& queue, const std::shared_ptr<const std::string>& consumer) {
        for (auto& known : parcels_) {
            if (known.consumer == consumer && known.queue == queue) return known;
        }
        parcels_.push_back({queue, consumer, {}, {}});
        return parcels_.back();
    }

    mutable std::mutex mutex_;
    std::vector<parcel> parcels_;
};

}  // namespace taskflux::detail
