#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/flow/scheduler_options.hpp>

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {
class scheduler;
}

namespace taskflux::detail {

/// A schedule that an app stores when it starts, with its payload encoded.
struct app_schedule {
    std::string cron;
    std::string task;
    task_options contract;
    std::string payload;
    schedule_options options;
    bool is_enabled = true;

    const std::string& id() const { return options.id().empty() ? task : options.id(); }

    /// Its tasks have this key; empty: none.
    void carry(std::string key) {
        if (key.empty()) return;
        auto submit = options.submit();
        options.submit(submit.key(std::move(key)));
    }
};

/// Gives a schedule of a config the key that its task takes from the payload. Errors: `config_error` for a payload that the task
/// does not take, or of which no key can be taken. `here`: the schedule's place.
inline void take_key(app_schedule& from, const std::function<std::string(std::string_view)>& key_of, const std::string& here) {
    try {
        from.carry(key_of(from.payload));
    } catch (const payload_error& e) {
        throw config_error(here + "/payload" + e.pointer(), e.reason());
    } catch (const error& e) {
        throw config_error(here + "/payload", e.what());
    } catch (...) {  // of the function that takes the key
        throw config_error(here + "/payload", "the key of task " + from.task + " can't be taken from it: " +
                                                  describe(std::current_exception()).message);
    }
}

/// A local job of an app.
struct app_job {
    std::string id;
    std::string cron;  ///< empty: only a config says when
    schedule_options options;
    std::function<void(scheduler&, const app_job&)> give_to;
};

/// What schedules and local jobs have in common.
template <class Config>
schedule_options ticking_of(const Config& config) {
    schedule_options options;
    options.zone(config.zone).misfire(config.misfire).grace(config.grace).overlap(config.overlap).jitter(config.jitter);
    return options.hosts(config.hosts);
}

inline schedule_options options_of(const job_config& config) { return ticking_of(config).scope(config.scope); }

inline schedule_options options_of(const schedule_config& config) {
    auto options = ticking_of(config);
    if (!config.id.empty()) options.id(config.id);
    submit_options submit;
    if (!config.queue.empty()) submit.queue(config.queue);
    return options.submit(submit);
}

/// A contract's options, in which `defaults` replace limits that the contract does not set.
inline task_options with_defaults(task_options contract, const submit_options& defaults) {
    const auto policy = defaults.under(contract.policy());
    return contract.deadline(policy.deadline).retention(policy.retention, policy.failed_retention);
}

}  // namespace taskflux::detail
