#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/required.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace taskflux {

/// A waiting task, as a `consumer` sees it before it takes it.
class offer {
public:
    explicit offer(const peeked_task& of) : of_(of) {}

    const std::string& own_id() const { return of_.own_id; }  ///< the user's, or empty
    const std::string& key() const { return of_.key_name; }   ///< by which it takes turns and is limited, or empty
    const header_map& headers() const { return of_.spec->headers; }
    int priority() const { return of_.spec->priority; }
    std::size_t size() const { return of_.size; }             ///< bytes of the payload, as it is stored
    unsigned deliveries() const { return of_.deliveries; }    ///< so often somebody has taken it before
    time_point submitted_at() const { return of_.submitted_at; }

private:
    const peeked_task& of_;
};

namespace detail {

/// Tasks that were acquired together, as one consumer of the broker.
class claimed_batch;

/// One of them. Thread-safe, but for the order of calls.
class claimed_item {
public:
    claimed_item(std::shared_ptr<claimed_batch> in, delivery what);
    claimed_item(const claimed_item&) = delete;
    claimed_item& operator=(const claimed_item&) = delete;
    ~claimed_item();

    const delivery& what() const { return what_; }
    const task_id& id() const { return id_; }
    time_point until() const;
    /// Errors: `bad_payload`.
    const std::string& payload() const;

    using self = std::shared_ptr<claimed_item>;
    static asio::awaitable<effect> complete(self held, std::string result);
    static asio::awaitable<effect> forward(self held, std::string result, std::string to, new_task next);
    static asio::awaitable<effect> fail(self held, std::string why);
    static asio::awaitable<effect> give_back(self held, duration delay);

private:
    settlement end(settlement::kind how) const;
    static void check_unsettled(const self& held);
    static asio::awaitable<effect> settle(self held, settlement how);

    const std::shared_ptr<claimed_batch> in_;
    const delivery what_;
    const task_id id_;
    bool is_settled_ = false;
};

/// What a `consumer` knows.
class claimer;

std::shared_ptr<claimer> make_claimer(broker_ptr broker, std::string queue, std::string task, std::string name, std::size_t max,
                                      duration promise);
void accept(claimer& by, std::function<bool(const offer&)> wants);
asio::awaitable<std::vector<std::shared_ptr<claimed_item>>> take(std::shared_ptr<claimer> by, duration wait);

}  // namespace detail

}  // namespace taskflux
