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

/// Reports and settlements that a worker has not sent to the broker yet, by queue and consumer: those that are
/// added while a call is in flight are the next batch. Thread-safe.
class pending_reports {
public:
    struct batch {
        std::string queue;
        std::shared_ptr<const std::string> consumer;
        std::vector<attempt_report> reports;  ///< sent before the settlements
        std::vector<settlement> settlements;
    };

    /// Adds the end of an attempt. Returns whether it began a batch, so that the sending loop must be woken.
    bool add(const std::string& queue, const std::shared_ptr<const std::string>& consumer, settlement end) {
        const std::lock_guard lock(mutex_);
        const auto before = batches_.size();
        batch_for(queue, consumer).settlements.push_back(std::move(end));
        return batches_.size() > before;
    }

    /// Adds a report, whose progress replaces the attempt's older one and whose log lines follow its older ones. Returns
    /// whether it began a batch, so that the sending loop must be woken.
    bool add(const std::string& queue, const std::shared_ptr<const std::string>& consumer, attempt_report news) {
        const std::lock_guard lock(mutex_);
        const auto before = batches_.size();
        auto& reports = batch_for(queue, consumer).reports;
        const auto known = std::ranges::find_if(reports, [&](const attempt_report& r) {
            return r.key == news.key && r.token == news.token;
        });
        if (known == reports.end()) {
            reports.push_back(std::move(news));
        } else {
            if (news.progress) known->progress = std::move(news.progress);
            std::ranges::move(news.log, std::back_inserter(known->log));
        }
        return batches_.size() > before;
    }

    /// Takes the batches, except for those of `busy` queues, which go on growing.
    std::vector<batch> take(const std::vector<std::string>& busy) {
        const std::lock_guard lock(mutex_);
        std::vector<batch> taken, kept;
        for (auto& one : batches_) {
            const bool is_busy = std::ranges::find(busy, one.queue) != busy.end();
            (is_busy ? kept : taken).push_back(std::move(one));
        }
        batches_ = std::move(kept);
        return taken;
    }

    bool empty() const {
        const std::lock_guard lock(mutex_);
        return batches_.empty();
    }

private:
    batch& batch_for(const std::string& queue, const std::shared_ptr<const std::string>& consumer) {
        for (auto& known : batches_) {
            if (known.consumer == consumer && known.queue == queue) return known;
        }
        batches_.push_back({queue, consumer, {}, {}});
        return batches_.back();
    }

    mutable std::mutex mutex_;
    std::vector<batch> batches_;
};

}  // namespace taskflux::detail
