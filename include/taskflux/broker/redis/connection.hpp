#pragma once

#include <taskflux/broker/redis/connection_options.hpp>
#include <taskflux/broker/redis/greeting.hpp>
#include <taskflux/broker/redis/link.hpp>
#include <taskflux/broker/redis/messages.hpp>
#include <taskflux/broker/redis/observed.hpp>
#include <taskflux/broker/redis/replication.hpp>
#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/script.hpp>
#include <taskflux/broker/redis/settings.hpp>
#include <taskflux/broker/redis/url.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/serial_executor.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/redis/request.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// This process' way to a Redis server: a connection for commands, one for the inbox, and one for durable calls if there may
/// be any, all reconnected with exponential back-off whenever they are lost. With Sentinels all of them lead to the same
/// master: where one finds another than the rest, those look again. Safe to use from several threads, but for the two
/// setters. Once started it keeps its context running until `close`, or the end of its last owner.
class connection : public std::enable_shared_from_this<connection> {
public:
    /// Does nothing until the first call or `start`. Errors: `invalid_argument` for TLS files that can't be used.
    static std::shared_ptr<connection> make(asio::any_io_executor executor, redis_url url, connection_options options) {
        return std::shared_ptr<connection>(new connection(std::move(executor), std::move(url), std::move(options)));
    }

    ~connection() { close(); }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Runs a script, which is loaded where the server does not have it yet; `keys` and `args` are copied.
    /// Returns its reply, which is no error but may hold some. A server with another run id than the arguments name (`server`)
    /// does not get it: the reply is {`wire::another_server`, its run id} then.
    ///
    /// Errors: `unavailable` when no reply has come within the timeout, and, unless `repeatable`, when the
    /// connection was lost meanwhile: it may have been carried out then. `queue_full` when the server is out of memory;
    /// `invalid_argument` when it refuses user, password, database or permission; `unsupported` for a server older than 6.2;
    /// `shut_down` after `close`; `protocol` for any other error of the server.
    /// Cancellation (terminal): ends at once with `operation_aborted`; may have been carried out all the same.
    asio::awaitable<reply> eval(const script& which, const std::vector<std::string>& keys,
                                const std::vector<std::string>& args, bool repeatable,
                                wire::named_run server = {}) {
        return send(make_eval(which, keys, args, repeatable, std::move(server)));
    }

    /// When a call with these arguments that is begun now ends at the latest: after the timeout, and a second a MiB.
    std::chrono::steady_clock::time_point deadline_of(const std::vector<std::string>& args) const {
        std::size_t bytes = 0;
        for (const auto& each : args) bytes += each.size();
        return std::chrono::steady_clock::now() + timeout() + std::chrono::milliseconds(bytes >> 10);
    }

    /// Like `eval`, for a script that may be carried out twice; returns only when as many replicas as the options ask for
    /// have what it did and all that was done before, or time is up: see `check_replicas`, to which the reply must be
    /// given before it is read to its end. Waits hold up only each other.
    asio::awaitable<reply> eval_durably(const script& which, const std::vector<std::string>& keys,
                                        const std::vector<std::string>& args, wire::named_run server = {}) {
        auto call = make_eval(which, keys, args, true, std::move(server));
        if (replicas() > 0) wire::push_wait(call.request, url_.prefix, replicas(), wait_limit());
        return send(std::move(call), replicas() > 0);
    }

    /// Takes off a reply of `eval_durably` what is not the script's. Errors: `unavailable` when too few replicas have
    /// what it did; that has been done all the same.
    void check_replicas(reply& from) const {
        if (replicas() > 0) wire::check_replication(wire::take_replication(from), replicas());
    }

    /// Like `eval`, once for each list of keys and in one request; may be repeated. The reply is one answer after the other, and
    /// where a call fails the error.
    asio::awaitable<reply> eval_each(const script& which, const std::vector<std::vector<std::string>>& keys,
                                     const std::vector<std::string>& args) {
        auto call = make_call(true);
        call.which = which;
        call.has_parts = true;
        for (const auto& some : keys) push_eval(call.request, which, some, args);
        return send(std::move(call));
    }

    /// Like `eval`, for one command, which must neither block nor subscribe. Errors: also `invalid_argument` for no words.
    asio::awaitable<reply> command(const std::vector<std::string>& words, bool repeatable) {
        if (words.empty()) throw error(errc::invalid_argument, "a Redis command was given no words: name the command");
        auto call = make_call(repeatable);
        if (words.size() == 1) {
            call.request.push(words.front());
        } else {
            call.request.push_range(words.front(), words.begin() + 1, words.end());
        }
        return send(std::move(call));
    }

    /// This process' channel, always subscribed to on a connection of its own.
    const std::string& inbox() const noexcept { return inbox_; }

    /// What all keys and channels begin with, before a ':'.
    const std::string& prefix() const noexcept { return url_.prefix; }

    /// Sets the listener for what is published to `inbox`, in its order. Set before `start`; called on the connection's
    /// executor, one at a time, and not begun after `close` from there; must not throw.
    void on_message(std::function<void(std::string_view payload)> listener) { on_message_ = std::move(listener); }

    /// Whether what is published to `inbox` is heard now, as far as is known.
    bool hears() {
        const std::lock_guard lock(mutex_);
        const auto messages = messages_.lock();
        return messages && messages->is_ready();
    }

    /// Returns when what is published to `inbox` is heard; call after `start`. Errors: `unavailable` when it is not within
    /// the timeout; `shut_down`.
    asio::awaitable<void> until_it_hears() {
        std::unique_lock lock(mutex_);
        auto messages = messages_.lock();
        lock.unlock();
        if (!messages) throw error(errc::shut_down, "the connection to Redis has been closed: make another broker to go on");
        return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
            [link = std::move(messages), deadline = std::chrono::steady_clock::now() + timeout()](auto handler) mutable {
                const auto executor = link->executor();
                asio::co_spawn(executor, wire::link::wait(std::move(link), deadline), std::move(handler));
            },
            asio::use_awaitable);
    }

    /// Called when the connection for commands, or the subscription, is there (again): messages may be missing. Set and
    /// called like the listener of `on_message`.
    void on_missed_messages(std::function<void()> listener) { on_missed_messages_ = std::move(listener); }

    /// Begins to connect. Errors: `shut_down` after `close`.
    void start() { started(false); }

    /// Says something by the options' log.
    const std::shared_ptr<broker_observer>& observer() const { return options_.observer(); }

    const log_sink& sink() const { return options_.log(); }

    void log(const std::string& text) const {
        options_.log()(log_level::warning, "Redis: " + text);
    }

    /// Ends all calls with `shut_down`; the context can then run empty. Idempotent.
    void close() {
        std::unique_lock lock(mutex_);
        state_ = state::closed;
        const auto commands = commands_.lock();
        const auto messages = messages_.lock();
        const auto durable = durable_.lock();
        lock.unlock();
        for (const auto& each : {commands, messages, durable}) {
            if (each) each->stop();
        }
    }

    /// Which run of which server answers now; changes when it restarts or another takes its place. Empty
    /// before the first connection, and where the server does not say.
    std::string run_id() const {
        const std::lock_guard lock(facts_->mutex);
        return facts_->run_id;
    }

private:
    enum class state { idle, started, closed };
    using links = std::vector<std::weak_ptr<wire::link>>;

    struct links_of_call {
        std::shared_ptr<wire::link> to_send;
        std::shared_ptr<wire::link> to_hear;  ///< until it has been ready once
    };

    struct facts {
        std::mutex mutex;
        std::string run_id;
    };

    connection(asio::any_io_executor executor, redis_url url, connection_options options)
        : url_(std::move(url)),
          options_(std::move(options)),
          inbox_(url_.prefix + ":in:" + uuid_generator().text()),
          executor_(std::move(executor)),
          tls_for_commands_(wire::make_tls(url_)),
          tls_for_messages_(wire::make_tls(url_)),
          tls_for_durable_(wire::make_tls(url_)) {}

    unsigned replicas() const { return url_.durable.value_or(options_.durable()); }
    std::chrono::milliseconds timeout() const { return url_.timeout.value_or(options_.timeout()); }

    // Twice within the deadline, so that the answer tells how many replicas there were though a script had to be
    // loaded first; and a connection that is silent for twice a health check is taken for dead.
    std::chrono::milliseconds wait_limit() const {
        return (std::max)((std::min)(timeout() / 3, options_.health_check()), std::chrono::milliseconds(1));
    }

    wire::link_call make_call(bool repeatable) const {
        return {wire::make_request(), {}, repeatable, std::chrono::steady_clock::now() + timeout(), false, {}};
    }

    wire::link_call make_eval(const script& which, const std::vector<std::string>& keys,
                              const std::vector<std::string>& args, bool repeatable, wire::named_run server) const {
        auto call = make_call(repeatable);
        call.deadline = server.id ? server.until : deadline_of(args);
        call.run_id = std::move(server.id);
        push_eval(call.request, which, keys, args);
        call.which = which;
        return call;
    }

    static void push_eval(boost::redis::request& to, const script& which, const std::vector<std::string>& keys,
                          const std::vector<std::string>& args) {
        const auto count = std::to_string(keys.size());
        std::vector<std::string_view> words;
        words.reserve(2 + keys.size() + args.size());
        words.push_back(which.sha1);
        words.push_back(count);
        words.insert(words.end(), keys.begin(), keys.end());
        words.insert(words.end(), args.begin(), args.end());
        to.push_range("EVALSHA", words.begin(), words.end());
    }

    asio::awaitable<reply> send(wire::link_call call, bool is_durable = false) {
        if (!options_.call_observer()) return begin(std::move(call), is_durable);
        const auto name = call.which ? call.which->name : std::string_view("command");
        return wire::observed(options_.call_observer(), name, begin(std::move(call), is_durable));
    }

    // The caller's coroutine may live on another context: it must not hold the link, nor anything of its executor.
    asio::awaitable<reply> begin(wire::link_call call, bool is_durable) {
        return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, reply)>(
            [used = started(is_durable)](auto handler, wire::link_call what) mutable {
                const auto executor = used.to_send->executor();
                auto calling = used.to_hear ? call_once_tried(std::move(used), std::move(what))
                                            : wire::link::call(std::move(used.to_send), std::move(what));
                asio::co_spawn(executor, std::move(calling), std::move(handler));
            },
            asio::use_awaitable, std::move(call));
    }

    /// A user who may not subscribe learns it from the first call, and not by waiting in vain for what would be published.
    static asio::awaitable<reply> call_once_tried(links_of_call used, wire::link_call what) {
        co_await used.to_send->until_tried(what.deadline);  // it knows of more rights
        co_await used.to_hear->until_tried(what.deadline);
        co_return co_await wire::link::call(std::move(used.to_send), std::move(what));
    }

    links_of_call started(bool is_durable) {
        const std::lock_guard lock(mutex_);
        if (state_ == state::idle) connect();
        auto out = (is_durable ? durable_ : commands_).lock();
        if (state_ == state::closed || !out) {
            throw error(errc::shut_down, "the connection to Redis has been closed: make another broker to go on");
        }
        auto messages = messages_.lock();
        if (messages && messages->was_ready()) messages.reset();
        return {std::move(out), std::move(messages)};
    }

    void connect() {
        const auto serial = taskflux::detail::make_serial(std::exchange(executor_, {}));
        const auto all = std::make_shared<links>();
        const auto add = [&](wire::link_purpose purpose, wire::tls security) {
            purpose.ready = agreeing(std::move(purpose.ready), all, all->size());
            const auto made = std::make_shared<wire::link>(serial, std::move(purpose), std::move(security), options_);
            all->push_back(made);
            return made;
        };
        const auto commands = add(for_commands(), std::move(tls_for_commands_));
        const auto messages = add(for_messages(), std::move(tls_for_messages_));
        commands_ = commands;
        messages_ = messages;
        state_ = state::started;
        commands->start();
        messages->start();
        if (replicas() == 0) return;
        const auto durable = add(for_durable(), std::move(tls_for_durable_));
        durable_ = durable;
        durable->start();
    }

    // A server that has stepped down may keep a connection, and Sentinels may be behind the times.
    std::function<void(bool)> agreeing(std::function<void(bool)> ready, std::shared_ptr<links> all,
                                       std::size_t mine) const {
        if (url_.master.empty()) return ready;
        return [ready = std::move(ready), all = std::move(all), mine](bool again) {
            const auto self = (*all)[mine].lock();
            if (self && !self->server().empty()) {
                for (const auto& each : *all) {
                    const auto other = each.lock();
                    if (other && !other->server().empty() && other->server() != self->server())
                        other->leave("another one is the master now");
                }
            }
            ready(again);
        };
    }

    wire::link_purpose make_purpose(std::string_view channel) const {
        wire::link_purpose out;
        out.config = wire::make_config(url_, options_, channel);
        out.greeting = wire::make_short_greeting();
        if (!url_.master.empty()) out.sentinels = url_;
        out.ready = [](bool) {};
        return out;
    }

    static wire::server_facts check_greeting(const reply& from, const redis_url& url) {
        auto told = wire::read_greeting(from, url.prefix);
        wire::check_is_server(told);
        wire::check_version(told.version);
        if (!url.master.empty()) wire::check_is_master(told);
        return told;
    }

    wire::link_purpose for_commands() const {
        auto out = make_purpose({});
        out.greeting = wire::make_greeting(url_.prefix, replicas() > 0);
        out.greeted = [facts = facts_, log = options_.log(), url = url_](const reply& from) {
            const auto told = check_greeting(from, url);
            wire::check_rights(told.missing_rights, url.user);
            {
                const std::lock_guard lock(facts->mutex);
                facts->run_id = told.run_id;
            }
            const auto& policy = told.maxmemory_policy;
            if (!policy.empty() && policy != "noeviction") {
                log(log_level::warning, "Redis: maxmemory-policy is " + policy +
                                            ", so that a full server drops tasks silently; set it to noeviction");
            }
            return told.run_id;
        };
        out.ready = [listener = on_missed_messages_](bool again) {
            if (again && listener) listener();
        };
        return out;
    }

    wire::link_purpose for_messages() const {
        const auto messages = std::make_shared<wire::messages>();
        auto out = make_purpose(inbox_);
        out.greeted = [messages, url = url_](const reply& from) {
            wire::check_rights(wire::missing_to_subscribe(from.error(), url.prefix), url.user);
            messages->check(from);
            return check_greeting(from, url).run_id;
        };
        // What was published before the subscription was there has not been heard either.
        out.ready = [listener = on_missed_messages_](bool) {
            if (listener) listener();
        };
        out.push_adapter = messages->adapter();
        out.pushed = [messages, listener = on_message_] { messages->deliver(listener); };
        return out;
    }

    wire::link_purpose for_durable() const {
        auto out = make_purpose({});
        out.greeted = [url = url_](const reply& from) { return check_greeting(from, url).run_id; };
        return out;
    }

    const redis_url url_;
    const connection_options options_;
    const std::string inbox_;
    const std::shared_ptr<facts> facts_ = std::make_shared<facts>();
    std::function<void(std::string_view)> on_message_;
    std::function<void()> on_missed_messages_;

    std::mutex mutex_;
    state state_ = state::idle;       // guarded by mutex_, as all below
    asio::any_io_executor executor_;  // until started
    wire::tls tls_for_commands_;
    wire::tls tls_for_messages_;
    wire::tls tls_for_durable_;
    std::weak_ptr<wire::link> commands_;
    std::weak_ptr<wire::link> messages_;
    std::weak_ptr<wire::link> durable_;
};

}  // namespace taskflux::redis
