#pragma once

#include <taskflux/broker/memory/queue.hpp>
#include <taskflux/broker/why.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace taskflux::memory {

/// Says why one task is not running: `broker::why`.
class explanation {
public:
    explanation(const std::string& queue, task_queue& in, entry& task, time_point now)
        : queue_(queue), in_(in), task_(task), now_(now) {}

    task_situation take() {
        made_.id = to_string(task_id{queue_, in_.key_of(task_)});
        made_.name = task_.spec->name;
        made_.state = task_.state;
        if (is_terminal(task_.state)) add(why_reason::ended).since = shown(task_.when);
        else if (task_.state == task_state::running) add_running();
        else if (task_.state == task_state::held) add_held();
        else if (task_.state == task_state::waiting_children) add_subtasks();
        else add_obstacles();
        return std::move(made_);
    }

private:
    static constexpr std::size_t most_names = 5, most_counted = 10'000;

    task_reason& add(why_reason what) {
        auto& one = made_.reasons.emplace_back();
        one.what = what;
        return one;
    }
    time_point shown(time_point when) const { return shifted(when, in_.ahead()); }

    void add_running() {
        auto& one = add(why_reason::running);
        one.since = shown(task_.started_at);
        one.count = task_.attempts();
        one.names.push_back(task_.holder->name);
    }

    void add_held() {
        auto& store = in_.store();
        if (!store.is_successor(task_)) return void(add(why_reason::held));
        const auto* const holder = store.unique_holder(task_.extras->unique_key, now_);
        auto& one = add(why_reason::successor);
        if (holder) one.names.push_back(to_string(task_id{queue_, in_.key_of(*holder)}));
    }

    void add_subtasks() {
        auto& one = add(why_reason::subtasks);
        const auto& own_journal = *task_.journal();
        const auto& counts = own_journal.counts();
        one.most = counts.total;
        one.count = counts.total - counts.done;
        one.names = own_journal.some_open(most_names);
    }

    void add_scheduled() {
        const auto* const own_journal = task_.journal();
        const std::string awaited = own_journal ? own_journal->awaited : "";
        auto what = task_.first_started_at == time_point{} ? why_reason::scheduled : why_reason::retry;
        if (awaited == sleep_mark) what = why_reason::sleeping;
        else if (!awaited.empty()) what = why_reason::signal;
        auto& one = add(what);
        one.until = task_.when == never ? never : shown(task_.when);
        if (what == why_reason::retry) one.count = task_.failed_attempts + 1;
        if (what == why_reason::signal) one.names.push_back(signal_name(awaited));
    }

    void add_obstacles() {
        const bool is_scheduled = task_.state == task_state::scheduled;
        if (is_scheduled) add_scheduled();
        const auto& counts = in_.counts();
        const auto& gate = in_.rules().gate();
        if (counts.paused) add(why_reason::paused);
        if (!is_scheduled && !counts.paused) add_gate(gate, counts.running);
        if (counts.consumers == 0) add(why_reason::no_worker);
        if (is_scheduled) return;
        const bool has_key = task_.extras && !task_.extras->key.empty();
        if (task_.unclaimed) {
            add(why_reason::unclaimed).names.push_back(made_.name);
            if (has_key) add_limit_of(task_.extras->key);
            return;
        }
        if (has_key) return add_key(task_.extras->key);
        const auto [before, is_exact] = in_.store().ready().before(task_, most_counted);
        auto& one = add(why_reason::turn);
        one.count = before;
        one.is_at_least = !is_exact;
    }

    keyed_tasks::standing add_limit_of(const std::string& key) {
        const auto among = in_.store().ready().keyed().standing_of(task_, most_counted);
        if (among.most_running && among.running >= *among.most_running) {
            auto& one = add(why_reason::key_limit);
            one.count = among.running;
            one.most = *among.most_running;
            one.names.push_back(key);
        } else if (among.opens > now_) {
            auto& one = add(why_reason::key_rate);
            one.until = shown(among.opens);
            one.names.push_back(key);
        }
        return among;
    }

    void add_key(const std::string& key) {
        const auto among = add_limit_of(key);
        auto& one = add(why_reason::turn);
        one.count = among.before;
        one.is_at_least = among.before == most_counted;
        one.names.push_back(key);
    }

    void add_gate(const admission& gate, std::size_t running) {
        switch (gate.admit(1, running).why_not_more) {
            case obstacle::none:
            case obstacle::paused: return;
            case obstacle::throttled: add(why_reason::throttled).until = shown(gate.opens(running)); return;
            case obstacle::rate: add(why_reason::rate).until = shown(gate.opens(running)); return;
            case obstacle::running: break;
        }
        auto& one = add(why_reason::limit);
        one.count = running;
        one.most = gate.most_running().value_or(0);
        one.names = in_.busy_consumers(most_names);
    }

    const std::string& queue_;
    task_queue& in_;
    entry& task_;
    const time_point now_;
    task_situation made_;
};

}  // namespace taskflux::memory
