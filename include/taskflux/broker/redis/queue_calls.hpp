#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/broker/dead_letter.hpp>
#include <taskflux/broker/redis/connection.hpp>
#include <taskflux/broker/redis/layout.hpp>
#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/scripts.hpp>
#include <taskflux/core/uuid.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Arguments of a script.
class arguments {
public:
    /// Adds the run id of the server that will run the script: `set_run_id`.
    arguments& add_run_id() {
        run_id_at_ = words_.size();
        return add("");
    }
    void set_run_id(std::string id) {
        if (run_id_at_ != none) words_[run_id_at_] = std::move(id);
    }
    /// Nothing where none was added.
    std::optional<std::string> run_id() const {
        return run_id_at_ == none ? std::nullopt : std::optional(words_[run_id_at_]);
    }

    /// Adds a word of a script that need not wait for all that is due: '1' as soon as some of it has been done.
    arguments& add_pass_over() {
        pass_over_at_ = words_.size();
        return add("");
    }
    bool may_pass_over() const { return pass_over_at_ != none; }
    void pass_over() { words_[pass_over_at_] = "1"; }

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
    std::size_t pass_over_at_ = none;
};

/// A script's answer, of which the first word has been read: OK (RELAY too), LOST or SLOW.
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

/// A script for a usual case. When it has just not been enough, it is passed over for a while.
struct fast_script {
    const script& what;
    std::atomic<int> slow_turns = 0;
};

/// The scripts of one queue: declares their keys, and does what time has brought about where a script says that
/// this comes first. Makes the queue known where its server has it for the first time, or has been emptied, which the
/// scripts that store something tell. Thread-safe; lives in a shared_ptr.
class queue_calls : public std::enable_shared_from_this<queue_calls> {
public:
    /// `relay` is called when there is something to be told to other queues, or of tasks that were given up; must not throw.
    queue_calls(std::shared_ptr<connection> server, std::string queue, std::function<void()> relay)
        : server_(std::move(server)), name_(std::move(queue)), prefix_(server_->prefix() + ":{" + name_ + "}:"),
          relay_(std::move(relay)) {}

    /// Makes the queue known to `broker::queues`, once.
    asio::awaitable<void> announce() {
        const auto self = shared_from_this();
        if (!is_announced_) co_await begin_life();
    }

    /// The server may be another one.
    void doubt() { is_announced_ = false; }

    /// Which life of the queue this is, as far as this process knows: what it remembers of the queue is of one life.
    unsigned life() const { return life_; }

    /// The server has told which life of the queue this is; '': it does not have the queue.
    void hear_of_life(std::string_view text) {
        const std::lock_guard lock(mutex_);
        if (text == life_text_) return;
        if (!life_text_.empty()) ++life_;  // otherwise nothing is remembered that could be of another one
        life_text_ = text;
    }

    /// Calls a script. `own` are keys that this call needs beside the queue's, without the prefix. `durable`: replicas
    /// must have it too, if the options say so; then it must be repeatable.
    asio::awaitable<answer> run(const script& what, std::vector<std::string> own, arguments with, bool repeatable,
                                bool durable = false) {
        const auto self = shared_from_this();
        co_return co_await call(what, own, with, repeatable, durable);
    }

    /// Calls the first of the fast scripts that is enough, or the one for any case.
    asio::awaitable<answer> run(std::vector<fast_script*> fast, const script& any, std::vector<std::string> own,
                                arguments with, bool repeatable, bool durable = false) {
        const auto self = shared_from_this();
        for (auto* one : fast) {
            auto got = co_await try_fast(*one, own, with, repeatable, durable);
            if (!got.is_slow) co_return got;
        }
        co_return co_await call(any, own, with, repeatable, durable);
    }

    /// Like `run`, for a fast script alone: where it is passed over, or was not enough, the answer is slow.
    asio::awaitable<answer> run_if_fast(fast_script& what, std::vector<std::string> own, arguments with, bool repeatable,
                                        bool durable) {
        const auto self = shared_from_this();
        co_return co_await try_fast(what, own, with, repeatable, durable);
    }

    /// The sets of some consumers that scripts have asked for, without the prefix.
    std::vector<std::string> known_sets() {
        const std::lock_guard lock(mutex_);
        return sets_;
    }

    /// The keys of a script that needs only those which it names, and `own`, without the prefix.
    std::vector<std::string> keys_for(const script& what, const std::vector<std::string>& own) const {
        std::vector<std::string> keys;
        keys.reserve(what.keys.size() + own.size());
        add_keys(what, keys);
        for (const auto& one : own) keys.push_back(prefix_ + one);
        return keys;
    }

    /// Adds the keys of a script that needs only those which it names.
    void add_keys(const script& what, std::vector<std::string>& keys) const {
        for (const char name : what.keys) keys.push_back(prefix_ + name);
    }

    /// Does all that has fallen due.
    asio::awaitable<void> maintain() {
        const auto self = shared_from_this();
        for (bool is_more = true; is_more;) is_more = co_await maintain_some();
    }

    /// Like `maintain`, unless that is under way by such a call: on a long backlog one does it, and not each who sees it.
    asio::awaitable<void> maintain_once() {
        const auto self = shared_from_this();
        if (is_maintaining_.exchange(true)) co_return;
        struct end {
            ~end() { of.is_maintaining_ = false; }
            queue_calls& of;
        } const at_end{*this};
        co_await maintain();
    }

    /// Does some of it, as much as a server does in a few milliseconds. False when that was all.
    asio::awaitable<bool> maintain_some() {
        const auto self = shared_from_this();
        constexpr int most = 100;  // of each kind
        arguments with;
        with.add(most).add_run_id();
        auto keys = keys_of(scripts::maintain, {});
        with.set_run_id(server_->run_id());
        steady_time until{};
        for (bool again = false;;) {
            auto server = named_server(with, again, until);
            const auto got = co_await server_->eval(scripts::maintain, keys, with.words(), true, std::move(server));
            reader from(got);
            const auto size = from.list();
            const auto word = from.text();
            again = word == wire::another_server;
            if (again) {
                with.set_run_id(std::string(from.text()));
                continue;
            }
            if (word == "NEED") {
                for (std::size_t i = 1; i < size; ++i) keys.push_back(learned(std::string(from.text())));
                continue;
            }
            const bool is_more = from.integer() != 0;
            for (std::size_t at = 2; at + 3 < size; at += 4) tell_dead(from);
            if ((word == "RELAY" || has_dead()) && !is_more) relay_();
            co_return is_more;
        }
    }

    /// Says of the next task in an answer of `maintain` or `fetch` that it has failed.
    void tell_dead(reader& from) {
        detail::dead_letter made;
        made.task.queue = name_;
        made.task.key.sequence = static_cast<std::uint64_t>(from.integer());
        made.task.key.nonce = static_cast<std::uint32_t>(from.integer());
        made.name = from.text();
        made.why = from.text();
        detail::tell_dead_letter(server_->sink(), server_->observer(), made);
        constexpr std::size_t most = 1000;
        const std::lock_guard lock(mutex_);
        if (dead_.size() < most) dead_.push_back(std::move(made));
    }

    /// Those that were told of since the last call, up to 1,000.
    std::vector<detail::dead_letter> take_dead() {
        const std::lock_guard lock(mutex_);
        return std::exchange(dead_, {});
    }

private:
    bool has_dead() {
        const std::lock_guard lock(mutex_);
        return !dead_.empty();
    }

    using steady_time = std::chrono::steady_clock::time_point;

    asio::awaitable<answer> try_fast(fast_script& what, const std::vector<std::string>& own, arguments& with,
                                     bool repeatable, bool durable = false) {
        answer got;
        got.is_slow = true;
        if (what.slow_turns > 0) {
            --what.slow_turns;
            co_return got;
        }
        got = co_await call(what.what, own, with, repeatable, durable);
        if (got.is_slow) what.slow_turns = 8;
        co_return got;
    }

    /// The server that a call names, where it names one. `again`: another one was found in its place; servers may come and go,
    /// so that the deadline stays.
    wire::named_run named_server(const arguments& with, bool again, steady_time& until) const {
        wire::named_run server;
        server.id = with.run_id();
        if (server.id && !again) until = server_->deadline_of(with.words());
        server.until = until;
        return server;
    }

    asio::awaitable<answer> call(const script& what, const std::vector<std::string>& own, arguments& with, bool repeatable,
                                 bool durable = false) {
        auto keys = keys_of(what, own);
        with.set_run_id(server_->run_id());
        steady_time until{};
        // Another try gets nearer to the end each time: one more key known, some more of what was due done.
        for (bool again = false, has_made_room = false;;) {
            answer got;
            auto server = named_server(with, again, until);
            auto request = durable ? server_->eval_durably(what, keys, with.words(), std::move(server))
                                   : server_->eval(what, keys, with.words(), repeatable, std::move(server));
            got.whole = co_await std::move(request);
            reader from(got.whole);
            const auto size = from.list();
            const auto word = from.text();
            got.is_lost = word == "LOST";
            got.is_slow = word == "SLOW";
            const bool is_done = word == "OK" || word == "RELAY";
            if (durable && is_done) server_->check_replicas(got.whole);
            if (word == "RELAY") relay_();
            if (got.is_lost || got.is_slow || is_done) co_return got;
            again = word == wire::another_server;
            if (word == "DUE") {
                if (with.may_pass_over()) {
                    co_await maintain_some();
                    with.pass_over();
                } else {
                    co_await maintain();
                }
            } else if (word == "NEED") {
                for (std::size_t i = 1; i < size; ++i) keys.push_back(learned(std::string(from.text())));
            } else if (again) {
                with.set_run_id(std::string(from.text()));
            } else if (word == "NEW") {
                co_await begin_life();
            } else if (word == "FULL") {
                const auto fresh = from.integer(), there = from.integer(), most = from.integer();
                // All scripts but that one have looked for what is due.
                const bool is_certain = std::exchange(has_made_room, true) || &what != &scripts::enqueue_plain;
                if (is_certain) throw detail::backlog_full(name_, std::uint64_t(fresh), std::uint64_t(there), std::uint64_t(most));
                co_await maintain();  // tasks whose time is over make room
            } else {
                throw error(errc::protocol, "the script " + std::string(what.name) + " answered \"" + std::string(word) + "\", which this version does not know");
            }
        }
    }

    /// The name comes first: a queue whose life has begun is in the list.
    asio::awaitable<void> begin_life() {
        const std::vector<std::string> words{"SADD", all_queues(server_->prefix()), name_};
        co_await server_->command(words, true);
        arguments with;
        with.add(uuid_generator().text());
        const auto keys = keys_of(scripts::begin_life, {});
        const auto got = co_await server_->eval(scripts::begin_life, keys, with.words(), true);
        reader from(got);
        from.list();
        from.text();
        hear_of_life(from.text());
        is_announced_ = true;
    }

    std::vector<std::string> keys_of(const script& what, const std::vector<std::string>& own) {
        std::vector<std::string> keys;
        const std::lock_guard lock(mutex_);
        keys.reserve(what.keys.size() + lanes_.size() + own.size() + 2);
        for (const char name : what.keys) keys.push_back(prefix_ + name);
        keys.insert(keys.end(), lanes_.begin(), lanes_.end());
        if (&what == &scripts::settle) {
            for (const auto& journal : journals_) keys.push_back(prefix_ + journal);
        }
        for (const auto& one : own) keys.push_back(prefix_ + one);
        return keys;
    }

    /// Lanes, and the stream of events, are used again and again: they are declared from now on. And some sets of consumers and some journals, of
    /// whose tasks more subtasks will end, are remembered.
    std::string learned(std::string key) {
        constexpr std::size_t most_sets = 16, most_journals = 4;
        const auto name = std::string_view(key).substr(prefix_.size());
        const auto remember = [name](std::vector<std::string>& names, std::size_t most) {
            if (std::ranges::find(names, name) != names.end()) return;
            names.emplace_back(name);
            if (names.size() > most) names.erase(names.begin());
        };
        const std::lock_guard lock(mutex_);
        const bool is_kept = name.starts_with(own_key::lane) || name == own_key::events;
        if (is_kept && std::ranges::find(lanes_, key) == lanes_.end()) lanes_.push_back(key);
        if (name.starts_with(own_key::held)) remember(sets_, most_sets);
        if (name.starts_with(own_key::journal)) remember(journals_, most_journals);
        return key;
    }

    const std::shared_ptr<connection> server_;
    const std::string name_;
    const std::string prefix_;
    const std::function<void()> relay_;
    std::atomic<bool> is_announced_ = false;
    std::atomic<bool> is_maintaining_ = false;
    std::atomic<unsigned> life_ = 0;
    std::mutex mutex_;
    std::string life_text_;
    std::vector<std::string> lanes_;  // their keys
    std::vector<detail::dead_letter> dead_;
    std::vector<std::string> sets_;
    std::vector<std::string> journals_;
};

}  // namespace taskflux::redis
