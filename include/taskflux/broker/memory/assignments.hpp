#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/agenda.hpp>
#include <taskflux/broker/memory/queue_list.hpp>
#include <taskflux/broker/memory/queues.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// Which queues each consumer serves, as far as its fetches have told. Not thread-safe.
class assignments {
public:
    assignments(queues& all, const agenda& of) : all_(all), agenda_(of) {}

    /// The queues of a request: one list for all fetches of a consumer.
    std::shared_ptr<const queue_list> list_of(const fetch_request& request) const {
        const auto known = lists_.find(request.consumer);
        if (known != lists_.end() && known->second->names() == request.queues) return known->second;
        return std::make_shared<const queue_list>(request.queues);
    }

    /// Does what has fallen due in these queues, in part; false where that was not all. `on_change(queue)` for each that was changed.
    template <class OnChange>
    bool advance_some(const queue_list& list, time_point now, OnChange on_change) const {
        bool is_all = true;
        for (auto* queue : agenda_.due(now)) {
            if (!list.place_of(queue->listed.name)) continue;
            queue->advance_some(now);
            on_change(*queue);
            is_all = is_all && now < queue->next();
        }
        return is_all;
    }

    /// Adds tasks to `found`, of those queues that have some; false where there is more to look at. `on_change` as above.
    template <class OnChange>
    bool hand_out(const fetch_request& request, const queue_list& list, time_point now, std::vector<delivery>& found,
                  OnChange on_change) const {
        auto places = ready_among(list);
        if (request.order) request.order(places);
        bool has_seen_all = true;
        for (const auto i : places) {
            if (found.size() >= request.max) break;
            auto& queue = all_.look(list.names()[i]);
            queue.fetch(*queue.find_consumer(request.consumer), request.names.get(), i, request.max - found.size(), now, found);
            has_seen_all = has_seen_all && !queue.has_work(request.names.get()) && now < queue.next();
            on_change(queue);
        }
        return has_seen_all;
    }

    /// Throws unless the consumer has joined these queues; remembered until any consumer goes.
    void check_joined(const std::string& consumer, const std::shared_ptr<const queue_list>& list) {
        if (std::exchange(as_of_, agenda_.departures()) != agenda_.departures()) lists_.clear();
        const auto known = lists_.find(consumer);
        if (known != lists_.end() && known->second == list) return;
        for (const auto& name : list->names()) {
            if (!all_.look(name).find_consumer(consumer)) throw detail::consumer_is_gone(consumer, name);
        }
        lists_.insert_or_assign(consumer, list);
    }

    /// The places of those queues that have tasks which may start; of a name given twice, the first. O(such queues of the
    /// broker, or of the list if that is shorter).
    std::vector<std::size_t> ready_among(const queue_list& list) const {
        std::vector<std::size_t> places;
        const auto& ready = agenda_.ready();
        if (list.names().size() < ready.size()) {
            for (std::size_t i = 0; i < list.names().size(); ++i) {
                const auto& name = list.names()[i];
                if (all_.look(name).listed.is_ready && list.place_of(name) == i) places.push_back(i);
            }
            return places;
        }
        for (const auto* queue : ready) {
            if (const auto i = list.place_of(queue->listed.name)) places.push_back(*i);
        }
        std::ranges::sort(places);
        return places;
    }

private:
    queues& all_;
    const agenda& agenda_;
    std::map<std::string, std::shared_ptr<const queue_list>> lists_;  // by consumer: where it has joined
    std::uint64_t as_of_ = 0;                                         // departures
};

}  // namespace taskflux::memory
