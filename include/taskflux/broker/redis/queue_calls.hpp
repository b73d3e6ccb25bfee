#pragma once

#include <taskflux/broker/redis/connection.hpp>
#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/scripts.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Arguments of a script.
class arguments {
public:
    /// Adds the server's run id, as it is known when the script is called.
    arguments& add_run_id() {
        run_id_at_ = words_.size();
        return add("");
    }
    void set_run_id(std::string id) {
        if (run_id_at_ != none) words_[run_id_at_] = std::move(id);
    }

    arguments& add(std::string text) { return words_.push_back(std::move(text)), *this; }
    arguments& add(std::string_view text) { return words_.emplace_back(text), *this; }
    arguments& add(const char* text) { return words_.emplace_back(text), *this; }
    template <std::integral T>
    arguments& add(T number) {
        return words_.push_back(std::to_string(number)), *this;
    }
    void reserve(std::size_t count) { words_.reserve(count); }
    const std::vector<std::string>& words() const { return words_; }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    std::vector<std::string> words_;
    std::size_t run_id_at_ = none;
};

/// A script's answer, of which the first word has been read: OK, LOST or SLOW.
struct answer {
    reply whole;
    bool is_lost = false;
    bool is_slow = false;  ///< nothing has been done: it takes the script for any case

    /// After that word.
    reader read() const {
        reader from(whole);
        from.list();
        from.text();
        return from;
    }
    /// How many elements there are after that word.
    std::size_t size() const { return reader(whole).list() - 1; }
};

/// The scripts of one queue: declares their keys, and does what time has brought about where a script says that
/// this comes first. Thread-safe; lives in a shared_ptr.
class queue_calls : public std::enable_shared_from_this<queue_calls> {
public:
    queue_calls(std::shared_ptr<connection> server, std::string queue)
        : server_(std::move(server)), prefix_("tf:{" + queue + "}:") {
        for (const char name : std::string_view("crsdeCfukyiwgNhxbBq")) keys_.push_back(prefix_ + name);
    }

    /// Calls a script. `own` are keys that this call needs beside the queue's, without the prefix. `durable`: replicas
    /// must have it too, if the options say so; then it must be repeatable.
    asio::awaitable<answer> run(const script& what, std::vector<std::string> own, arguments with, bool repeatable,
                                bool durable = false) {
        const auto self = shared_from_this();
        co_return co_await call(what, own, with, repeatable, durable);
    }

    /// Calls the fast script for the usual case, and the one for any case where it must be that; not the former
    /// for a while when it has just not been enough, as `slow_turns` counts.
    asio::awaitable<answer> run(const script& plain, const script& any, std::atomic<int>& slow_turns,
                                std::vector<std::string> own, arguments with, bool repeatable) {
        const auto self = shared_from_this();
        if (slow_turns <= 0) {
            auto got = co_await call(plain, own, with, repeatable);
            if (!got.is_slow) co_return got;
            slow_turns = 8;
        } else {
            --slow_turns;
        }
        co_return co_await call(any, own, with, repeatable);
    }

    /// Does all that has fallen due.
    asio::awaitable<void> maintain() {
        const auto self = shared_from_this();
        constexpr int most = 100;  // of each kind a call: what a server does in a few milliseconds
        arguments with;
        with.add(most).add_run_id();
        auto keys = keys_with({});
        for (bool is_more = true; is_more;) {
            with.set_run_id(server_->run_id());
            const auto got = co_await server_->eval(scripts::maintain, keys, with.words(), true);
            reader from(got);
            const auto size = from.list();
            if (from.text() == "NEED") {
                for (std::size_t i = 1; i < size; ++i) keys.push_back(learned(std::string(from.text())));
            } else {
                is_more = from.integer() != 0;
            }
        }
    }

private:
    asio::awaitable<answer> call(const script& what, const std::vector<std::string>& own, arguments& with, bool repeatable,
                                 bool durable = false) {
        auto keys = keys_with(own);
        // Another try gets nearer to the end each time: one more key known, some more of what was due done.
        for (;;) {
            answer got;
            with.set_run_id(server_->run_id());
            auto request = durable ? server_->eval_durably(what, keys, with.words())
                                   : server_->eval(what, keys, with.words(), repeatable);
            got.whole = co_await std::move(request);
            reader from(got.whole);
            const auto size = from.list();
            const auto word = from.text();
            got.is_lost = word == "LOST";
            got.is_slow = word == "SLOW";
            if (durable && word == "OK") server_->check_replicas(got.whole);
            if (got.is_lost || got.is_slow || word == "OK") co_return got;
            if (word == "DUE") {
                co_await maintain();
            } else if (word == "NEED") {
                for (std::size_t i = 1; i < size; ++i) keys.push_back(learned(std::string(from.text())));
            } else {
                throw error(errc::protocol, "the script " + std::string(what.name) + " answered \"" + std::string(word) + '"');
            }
        }
    }

    std::vector<std::string> keys_with(const std::vector<std::string>& own) {
        std::vector<std::string> keys;
        const std::lock_guard lock(mutex_);
        keys.reserve(keys_.size() + own.size() + 2);
        keys = keys_;
        for (const auto& one : own) keys.push_back(prefix_ + one);
        return keys;
    }

    /// Lanes are used again and again: they are declared from now on.
    std::string learned(std::string key) {
        if (std::string_view(key).substr(prefix_.size()).starts_with("l:")) {
            const std::lock_guard lock(mutex_);
            if (std::ranges::find(keys_, key) == keys_.end()) keys_.push_back(key);
        }
        return key;
    }

    const std::shared_ptr<connection> server_;
    const std::string prefix_;
    std::mutex mutex_;
    std::vector<std::string> keys_;
};

}  // namespace taskflux::redis
