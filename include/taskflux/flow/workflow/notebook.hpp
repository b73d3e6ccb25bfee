#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// What a handler needs of the worker that runs it. Thread-safe.
class context_sink {
public:
    virtual void on_progress(std::string encoded) = 0;
    virtual void on_log(log_line line) = 0;

    virtual const broker_ptr& broker() const = 0;
    virtual const std::string& consumer_name() const = 0;
    /// Lends the handler's slot to another, as long as the handler only waits.
    virtual void park() = 0;
    virtual void unpark() = 0;

protected:
    ~context_sink() = default;
};

/// Thrown to suspend a handler, which is run again after `delay`, or when the signal with the key `awaited` has come. Not a
/// `std::exception`, so that few handlers catch it by mistake.
struct suspension {
    duration delay{};
    std::string awaited;
};

/// A task's journal, read and written by one attempt. Names the handler's calls by their order, so that the next attempt
/// finds them again. Thread-safe.
class notebook {
public:
    notebook(context_sink& sink, const task_id& id, std::uint32_t token) : sink_(sink), id_(id), token_(token) {}

    const broker_ptr& broker() const { return sink_.broker(); }
    const task_id& id() const { return id_; }
    context_sink& sink() { return sink_; }

    /// Whether an earlier attempt may have written into the journal.
    bool may_have_entries() const { return token_ > 1; }

    std::string next_name() { return std::to_string(++position_); }

    /// Which signal of that name is awaited next.
    std::size_t next_signal(const std::string& name) {
        check_name(limits::call, name);
        const std::lock_guard lock(mutex_);
        return ++signals_[name];
    }
    /// The wait ended before the signal came: the next wait takes its number.
    void return_signal(const std::string& name) {
        const std::lock_guard lock(mutex_);
        --signals_[name];
    }

    /// While calls are awaited side by side, none of them can suspend the handler.
    bool is_in_group() const { return groups_ > 0; }
    void enter_group() { ++groups_; }
    void leave_group() { --groups_; }

    /// Throws `invalid_argument` for a name that this attempt has used already.
    void claim(const char* what, const std::string& name) {
        if (name.empty() || name.front() == '~' || name.size() > limits::call.most || !is_utf8(name)) {
            throw error(errc::invalid_argument, std::string("a ") + what + " can't be named " + name_in_quotes(name) +
                                                    ": use 1 to 200 bytes of UTF-8 that do not begin with '~'");
        }
        const std::lock_guard lock(mutex_);
        if (used_.insert(what + (' ' + name)).second) return;
        throw error(errc::invalid_argument, std::string("a second ") + what + " can't be named \"" + name +
                                                "\": give each of a task a name of its own");
    }

    /// The own id of a subtask that this attempt is the first to submit.
    std::string child_id(const std::string& name) const {
        auto made = to_string(id_) + '/' + detail::in_own_id(name);
        if (token_ > 1) made += '@' + std::to_string(token_);
        return made;
    }

    journal_write new_write() const {
        journal_write made;
        made.consumer = sink_.consumer_name();
        made.token = token_;
        return made;
    }

    asio::awaitable<journal_written> write(journal_write what) { return broker()->write_journal(id_, std::move(what)); }

    /// Writes a value unless the key has one; returns the value that the key has then.
    asio::awaitable<std::string> keep(std::string key, std::string value);

    asio::awaitable<void> set(std::string key, std::string value);
    asio::awaitable<std::optional<std::string>> find(std::string key);
    asio::awaitable<std::optional<std::size_t>> find_number(std::string key);

    static journal_write::item item_of(std::string key, std::string text, journal_write::mode how) {
        journal_write::item made;
        made.key = std::move(key);
        made.text = std::move(text);
        made.how = how;
        return made;
    }

private:
    context_sink& sink_;
    const task_id& id_;
    const std::uint32_t token_;
    std::atomic<unsigned> position_ = 0;
    std::atomic<int> groups_ = 0;
    std::mutex mutex_;  // guards all below
    std::set<std::string> used_;
    std::map<std::string, std::size_t> signals_;
};

/// Lends the handler's slot to other tasks while this lives: while the handler only waits.
class parking {
public:
    explicit parking(context_sink& sink) : sink_(sink) { sink_.park(); }
    parking(const parking&) = delete;
    parking& operator=(const parking&) = delete;
    ~parking() { sink_.unpark(); }

private:
    context_sink& sink_;
};

}  // namespace taskflux::detail
