#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/flow/workflow/place.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The code of an error that taskflux itself has thrown.
std::optional<errc> errc_of(const std::exception_ptr& failure);

/// Why an attempt ends before its handler does: the task is run again after `delay`, or when the signal with the key `awaited`
/// has come; or the attempt is no longer the task's.
struct departure {
    departure() = default;

    duration delay{};
    std::string awaited;
    bool is_lost = false;
};

/// What a handler needs of the worker that runs it. Thread-safe.
class context_sink {
public:
    virtual void on_progress(std::string encoded) = 0;
    virtual void on_log(log_line line) = 0;

    virtual const broker_ptr& broker() const = 0;
    virtual const std::string& consumer_name() const = 0;
    /// Of the attempt; null: it has none.
    virtual attempt_span* span() const noexcept { return nullptr; }
    /// Lends the handler's slot to another, as long as the handler only waits.
    virtual void park() = 0;
    virtual void unpark() = 0;

    /// Why the attempt must end, if it must.
    virtual std::optional<errc> stopped() const = 0;
    /// Whether this chain (`coroutine_chain`) is the handler's own: while it waits, no other call of the handler goes on.
    virtual bool is_handlers(const void* chain) const = 0;
    /// The handler's own chain is about to be destroyed, and the attempt ends with that.
    virtual void leave() = 0;
    /// Cancels what the handler's own chain awaits.
    virtual void interrupt() = 0;

protected:
    ~context_sink() = default;
};

/// Names by position that calls have taken, and where those are noted, too.
struct name_list {
    std::vector<unsigned> numbers;
    std::shared_ptr<name_list> outer;
};

/// What a call has found at its place in the journal.
struct traces_found {
    traces_found() = default;

    std::vector<std::optional<journal_entry>> others;  ///< those of `other_traces`
    std::optional<journal_entry> lost_mark;            ///< of a call that has lost
};

/// A task's journal, read and written by one attempt. Names the handler's calls by their order, so that the next attempt
/// finds them again. Thread-safe.
///
/// An attempt that has departed makes no more calls: its handler's coroutines are destroyed where they wait, and nothing is
/// thrown into them. Only where they wait beside others (in a group, or in a coroutine that the handler has spawned) the
/// call throws `lease_lost`, and the handler's own chain is cancelled.
class notebook {
public:
    notebook(context_sink& sink, const task_id& id, std::uint32_t token) : sink_(sink), id_(id), token_(token) {}

    const broker_ptr& broker() const { return sink_.broker(); }
    const task_id& id() const { return id_; }
    context_sink& sink() { return sink_; }

    /// Whether an earlier attempt may have written into the journal.
    bool may_have_entries() const { return token_ > 1; }

    std::string next_name();

    /// How many names `next_name` has given.
    unsigned position() const { return position_; }
    /// `next_name` gives none of these: an earlier run has given them to calls that this one does not make. Noted in `to`, too.
    void leave_out(const std::vector<unsigned>& numbers, name_list* to);

    /// From here on, names that calls in this chain have are added to `to`, until that is null.
    void note_names(const void* chain, std::shared_ptr<name_list> to);
    bool notes_names() const { return noting_ > 0; }
    asio::awaitable<void> note_name(const std::string& name);
    /// Where the names are noted that calls here have; null: nowhere.
    asio::awaitable<std::shared_ptr<name_list>> names_here();

    /// Whether the handler's own chain awaits this.
    asio::awaitable<bool> is_alone();

    void enter_step(const void* chain);
    void leave_step(const void* chain);
    bool is_in_step() const { return steps_ > 0; }
    /// While `is_in_step`: throws `invalid_argument` where the step's function awaits this, by a call that has no name of its own.
    asio::awaitable<void> refuse_in_step();

    /// The number of the signal of that name that is awaited next: the first one that no other wait has.
    std::size_t next_signal(const std::string& name);
    /// The wait ended before the signal came: the next wait takes its number.
    void return_signal(const std::string& name, std::size_t number);

    bool is_in_group() const { return groups_ > 0; }
    void enter_group() { ++groups_; }
    void leave_group() { --groups_; }

    /// Between these, calls are cancelled because one that had to succeed beside them (`all`) has failed.
    void begin_failing() { ++failing_; }
    void end_failing() { --failing_; }
    bool is_failing() const { return failing_ > 0; }

    /// Throws `invalid_argument` for what can't be a name.
    static void check_name(const char* what, const std::string& name);
    /// Throws `invalid_argument` also for a name that this attempt has used already.
    void claim(const char* what, const std::string& name);

    /// Whether an earlier attempt has made calls that this one has not made yet.
    asio::awaitable<bool> is_behind();

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

    asio::awaitable<journal_written> write(journal_write what);

    /// Like `write`, for what the handler's call at `place` is the first to write. Throws `journal_mismatch` where an earlier
    /// attempt made a call of another kind there.
    asio::awaitable<journal_written> write(journal_write what, place at);

    /// The steps of `write` at a place, for calls that are not parted (`unparted`): what stands there is `found`, to be checked by
    /// `check_kind` and `lose_again`.
    asio::awaitable<journal_written> send(journal_write what, place at, traces_found& found);
    /// Throws `journal_mismatch` where an earlier attempt made a call of another kind at the place.
    void check_kind(const place& at, const traces_found& found, unsigned epoch) const;
    /// Awaits calls to the broker that belong together: a cancellation of the handler's call does not end them, and is thrown at
    /// its next await. The attempt's end cancels them, as its successor makes them again, unless they go on after such a
    /// cancellation beside other calls (`||`): then they end by the broker's timeout at the latest.
    asio::awaitable<void> unparted(asio::awaitable<void> calls);

    /// Writes a value unless the key has one; returns the value that the key has then.
    asio::awaitable<std::string> keep(std::string key, std::string value);
    /// The same under the key of a call.
    asio::awaitable<std::string> keep(std::string value, place at);

    asio::awaitable<void> set(std::string key, std::string value);
    asio::awaitable<std::optional<std::string>> find(std::string key);
    /// What an earlier attempt wrote for a call. Throws like `write`.
    asio::awaitable<std::optional<std::string>> find(place at);
    /// The result of a step, if the journal has it. A step that has lost loses again. Writes nothing, unless it may have lost.
    asio::awaitable<std::optional<std::string>> find_step(const std::string& name);
    asio::awaitable<journal_page> read(journal_query query);

    /// With the next write, a value is written unless the key has one: for what need not be written at once.
    void keep_later(std::string key, std::string value);

    /// Whether a call has lost against another one beside it (`||`, a group), and was cancelled for that alone.
    bool has_lost(const std::exception_ptr& failure) const;
    /// Remembers, once the handler goes on, that a call has lost: when the same attempt is run again, it loses again.
    void lose(const std::string& name);
    /// Whether the `mark` is that of a call that has lost in this `epoch`.
    static bool has_lost_in(unsigned epoch, const std::optional<journal_entry>& mark);
    /// Throws as before where it is.
    asio::awaitable<void> lose_again(const std::optional<journal_entry>& mark, unsigned epoch);

    /// To be awaited where a call begins to wait for what an earlier attempt has begun: where the handler itself waits, beside
    /// nothing else, this attempt has come as far as the one before, and what its workers have died of is not its handler.
    /// Journals that, once, so that the broker counts the task's crashes afresh.
    asio::awaitable<void> rest();

    /// Departs unless the attempt is still the task's.
    asio::awaitable<journal_written> confirm() { return write(new_write()); }

    static journal_write::item item_of(std::string key, std::string text, journal_write::mode how) {
        journal_write::item made;
        made.key = std::move(key);
        made.text = std::move(text);
        made.how = how;
        return made;
    }

    // --- the attempt's early end ---------------------------------------------------------------------------

    std::optional<departure> departed() const;

    /// Ends the attempt, and never returns, in the handler's own chain. In another one it does nothing.
    asio::awaitable<void> depart(departure why);

    /// To be awaited before each call to the broker: an attempt that has departed, or was stopped, makes none.
    asio::awaitable<void> check();

    /// A call has thrown that. Where the broker, the lease or the worker's end is to blame, and not the handler, the attempt
    /// departs. `is_brokers`: whether the call was one to the broker.
    asio::awaitable<void> blame(std::exception_ptr failure, bool is_brokers);

private:
    void note(const departure& why);
    /// Into the task's log, and the worker's.
    void tell(const std::exception_ptr& failure);
    auto leave(const departure& why);
    /// A call that is made after the worker has stopped the attempt must not be taken for one that has failed.
    void note_stop();
    /// Writes that, with what was to be written later.
    asio::awaitable<journal_written> send(journal_write what);
    /// Writes that alone.
    asio::awaitable<journal_written> send_alone(journal_write what);
    /// Whether calls have lost whose marks need an epoch that is not known yet.
    bool needs_epoch() const;
    /// The traces that a call must not find at its place.
    std::vector<const call_trace*> other_traces(const place& at) const;
    bool is_made(std::string_view key) const;

    context_sink& sink_;
    const task_id& id_;
    const std::uint32_t token_;
    std::atomic<unsigned> position_ = 0;
    std::atomic<int> groups_ = 0;
    std::atomic<int> failing_ = 0;  // groups
    std::atomic<bool> has_rested_ = false;
    std::atomic<int> noting_ = 0;  // chains in `noted_`
    std::atomic<int> steps_ = 0;   // chains in `stepping_`
    mutable std::mutex mutex_;  // guards all below
    std::optional<unsigned> epoch_;  // as of the last answer to a write
    std::vector<std::string> lost_;  // keys of calls that have lost, to be written with the epoch
    std::set<std::string> used_;
    std::map<std::string, std::set<std::size_t>> signals_;
    std::set<unsigned> left_out_;
    std::map<const void*, std::shared_ptr<name_list>> noted_;  // by chain
    std::multiset<const void*> stepping_;                      // chains that await a step's function
    std::vector<journal_write::item> later_;
    std::optional<departure> departed_;
};

/// For how long a call that has lost lets the one that has won, or failed, come first again.
inline constexpr auto patience_for_winner = std::chrono::milliseconds(200);

/// Awaits a call to the broker, or another one that the worker's end may cancel, for the handler; see `notebook::blame`.
template <class T>
asio::awaitable<T> guarded(notebook& book, asio::awaitable<T> call, bool is_brokers = true) {
    co_await book.check();
    std::exception_ptr failure;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(call);
            co_return;
        } else {
            co_return co_await std::move(call);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await book.blame(failure, is_brokers);
    co_await asio::this_coro::throw_if_cancelled(throws);
    std::rethrow_exception(failure);
}

/// Awaits a call that may be one of several beside each other. `is_repeatable`: where it was cancelled because another one had
/// failed, it has lost against none, and the next run makes it again.
template <class T>
asio::awaitable<T> contested(notebook& book, std::string name, asio::awaitable<T> call, bool is_repeatable = false) {
    if (book.is_in_step() && place::is_position(name)) co_await book.refuse_in_step();
    if (book.notes_names() && place::is_position(name)) co_await book.note_name(name);
    std::exception_ptr failure;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(call);
            co_return;
        } else {
            co_return co_await std::move(call);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool was_cancelled = state.cancelled() != asio::cancellation_type::none;  // else a step's function has thrown that
    const bool is_to_be_repeated = is_repeatable && book.is_failing();
    if (was_cancelled && !is_to_be_repeated && book.has_lost(failure)) book.lose(name);
    std::rethrow_exception(failure);
}

/// Notes the names that calls in a chain have, while this lives.
class noted_names {
public:
    noted_names(notebook& book, const void* chain, std::shared_ptr<name_list> to) : book_(book), chain_(chain) {
        book_.note_names(chain_, std::move(to));
    }
    noted_names(const noted_names&) = delete;
    noted_names& operator=(const noted_names&) = delete;
    ~noted_names() { book_.note_names(chain_, nullptr); }

private:
    notebook& book_;
    const void* const chain_;
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
