#pragma once

#include <taskflux/broker/redis/url.hpp>
#include <taskflux/broker/redis/verdict.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/retry_delay.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis::wire {

/// What a link must do after something has happened to it: each of it that is set, in this order.
struct link_actions {
    std::vector<std::string> log;     ///< lines to say
    bool ends_connection = false;     ///< close the connection
    bool ends_requests = false;       ///< end the requests that are on it
    std::optional<bool> opens_calls;  ///< calls may come; true: again
    bool wakes_callers = false;       ///< have callers that wait look again
};

/// What the Sentinels have said.
struct sentinel_report {
    std::optional<address> master;
    bool has_heard = false;         ///< any of them has answered
    std::string failures;           ///< without a master: what each of them said
    std::optional<error> refusal{};  ///< without a master: why asking again won't help
};

/// Whether a caller may send something now, or must wait; else why it can't.
enum class readiness { ready, wait, closed, refused, too_late };

/// What follows when a request has ended without an answer.
enum class loss { send_again, closed, too_late, given_up };

/// The life of one link to a server, without I/O: told what happens, it says what to do. Times and the random generator are
/// arguments. Not thread-safe.
///
/// An attempt to connect goes through `asking` (only with Sentinels), `connecting` (until the server has been greeted),
/// `ready`, or `leaving` where the server will not do, and back to `resting`.
class link_state {
public:
    using time_point = std::chrono::steady_clock::time_point;
    enum class phase { resting, asking, connecting, ready, leaving };

    /// How long an attempt is put off at most; and a connection that lasted longer counts as a success.
    static constexpr std::chrono::seconds longest_back_off{1};

    // --- what a caller meets ---------------------------------------------------------------------------

    bool is_ready() const { return phase_ == phase::ready && !is_stopped_; }
    bool is_stopped() const { return is_stopped_; }
    phase now_in() const { return phase_; }

    /// The run id of the server that this leads to; empty while it leads to none.
    const std::string& server() const { return server_; }

    /// How often calls could come. One that finds a server unfit says of which generation it was.
    std::uint64_t generation() const { return generation_; }

    /// Why the server can't be used, where trying again won't help; until an attempt has found otherwise.
    const std::optional<error>& refusal() const { return refusal_; }

    /// Whether the first attempt to connect is still under way.
    bool is_untried() const { return generation_ == 0 && failed_ == 0 && !refusal_ && !is_stopped_; }

    readiness for_call(time_point now, time_point deadline) const {
        if (is_ready()) return readiness::ready;
        if (is_stopped_) return readiness::closed;
        if (refusal_) return readiness::refused;
        return now >= deadline ? readiness::too_late : readiness::wait;
    }

    /// `may_repeat`: it does no harm if the request is carried out twice.
    loss after_loss(bool may_repeat, time_point now, time_point deadline) const {
        if (is_stopped_) return loss::closed;
        if (now >= deadline) return loss::too_late;
        return may_repeat ? loss::send_again : loss::given_up;
    }

    /// The error of a call: `what` has failed, and what went wrong last. `asked` is what Sentinels have said that are being
    /// asked.
    error unavailable(const std::string& what, const std::string& asked) const {
        const auto& trouble = phase_ == phase::asking ? asked : trouble_;
        return {errc::unavailable, "Redis: " + what + (trouble.empty() ? "" : "; the last trouble was: " + trouble)};
    }

    // --- an attempt to connect -------------------------------------------------------------------------

    void begin_attempt(bool asks_sentinels) {
        phase_ = asks_sentinels ? phase::asking : phase::resting;
        found_.reset();
        ready_since_.reset();
    }

    /// Where to connect to, or nothing: then `give_up_attempt` is next.
    std::optional<address> hear(const sentinel_report& said) {
        phase_ = phase::resting;
        expected_server_.clear();
        if (said.master) {
            tried_master_ = *said.master;
        } else if (!said.has_heard && !last_server_.empty()) {
            // Sentinels that could not be asked can't have named another one to us, and it may well be there.
            tried_master_ = last_master_;
            expected_server_ = last_server_;
        } else {
            trouble_ = said.failures;
            found_ = said.refusal;
            return std::nullopt;
        }
        return tried_master_;
    }

    /// No server is known. Callers are told what this attempt has found.
    link_actions give_up_attempt() { return settle(); }

    void connect() { phase_ = phase::connecting; }

    /// Whether the greeting is still of use: it may come when the connection is lost, or was never there.
    bool awaits_greeting() const { return phase_ == phase::connecting && !is_stopped_; }

    /// The server has been greeted, and is a fit one.
    link_actions greeted(std::string server, time_point now) {
        // Without a Sentinel's word, only the very process that was the master is one for sure: where it has been started
        // again there may be another by now.
        if (!expected_server_.empty() && server != expected_server_) {
            return refuse({errc::unavailable, "it has been started again, and may not be the master now"});
        }
        phase_ = phase::ready;
        server_ = std::move(server);
        last_server_ = server_;
        last_master_ = tried_master_;
        ready_since_ = now;
        refusal_.reset();
        link_actions then;
        then.opens_calls = generation_++ != 0;
        if (*then.opens_calls) then.log.emplace_back("connected again");
        then.wakes_callers = true;
        return then;
    }

    /// The server will not do: for the moment where `why` is `unavailable`, else until an attempt finds otherwise.
    link_actions refuse(const error& why) {
        phase_ = phase::leaving;
        if (why.code() == errc::unavailable) trouble_ = why.what();
        else found_ = why;
        link_actions then;
        then.ends_connection = true;
        return then;
    }

    /// The connection has ended. `is_setup_refused`: the server did not take what each connection begins with.
    link_actions disconnected(bool is_setup_refused) {
        const bool was_ready = is_ready();
        phase_ = phase::resting;
        server_.clear();
        if (is_setup_refused) found_ = refusal_for(said_by_server());
        link_actions then;
        if (was_ready) then.log.push_back("lost the connection: " + trouble_);
        auto end = settle();
        std::ranges::move(end.log, std::back_inserter(then.log));
        then.ends_requests = true;
        then.wakes_callers = true;
        return then;
    }

    /// Whether calls could come in this attempt.
    bool was_ready() const { return ready_since_.has_value(); }

    /// The server that the Sentinels told of was none; `failures` is what they said.
    void was_misled(const std::string& failures) {
        if (!expected_server_.empty()) trouble_ = failures + "; the last one: " + trouble_;
    }

    /// The attempt, and what connection came of it, is over: when the next one begins.
    template <class Random>
    time_point rest(time_point now, Random& random) {
        const bool has_lasted = ready_since_ && now - *ready_since_ > longest_back_off;
        failed_ = has_lasted ? 1 : failed_ + 1;
        return now + back_off(failed_, random);
    }

    // --- what else happens -----------------------------------------------------------------------------

    /// What went wrong last.
    const std::string& trouble() const { return trouble_; }

    /// Something went wrong, for the next error.
    void note_trouble(std::string_view what) {
        if (phase_ != phase::asking) trouble_ = what;
    }

    /// The server of that generation refuses what is asked of it: another one is looked for.
    link_actions leave(std::uint64_t generation, std::string_view why) {
        trouble_ = why;
        link_actions then;
        if (generation != generation_ || !is_ready()) return then;
        phase_ = phase::leaving;
        then.log.push_back("leaves a server that refuses: " + trouble_);
        then.ends_connection = true;
        return then;
    }

    /// Until when a request is put off that the server would not carry out for the `times`-th time.
    template <class Random>
    static time_point put_off(unsigned times, time_point now, time_point deadline, Random& random) {
        return (std::min)(deadline, now + back_off(times, random));
    }

    void stop() { is_stopped_ = true; }

private:
    template <class Random>
    static duration back_off(unsigned failed, Random& random) {
        const auto policy =
            retry_policy::exponential(std::chrono::milliseconds(20)).attempts(0).max_delay(longest_back_off).full_jitter();
        return *next_delay(policy, failed, {}, random);
    }

    // What this attempt has found is what callers are told from now on.
    link_actions settle() {
        refusal_ = found_;
        link_actions then;
        if (refusal_ && !is_stopped_) then.log.emplace_back(refusal_->what());
        then.wakes_callers = true;
        return then;
    }

    std::string_view said_by_server() const {
        constexpr std::string_view prefix = "Setup request execution failed: ";  // Boost.Redis'
        auto said = std::string_view(trouble_);
        if (said.starts_with(prefix)) said.remove_prefix(prefix.size());
        return said;
    }

    phase phase_ = phase::resting;
    bool is_stopped_ = false;
    std::uint64_t generation_ = 0;
    unsigned failed_ = 0;  // attempts in a row
    std::optional<time_point> ready_since_;
    std::string trouble_;           // the last one
    std::optional<error> refusal_;  // what callers are told
    std::optional<error> found_;    // what this attempt has found
    std::string server_;
    std::string expected_server_;  // the only one that will do now; empty: whichever is the master
    std::string last_server_;      // the last one that was used, and where
    address last_master_;
    address tried_master_;
};

}  // namespace taskflux::redis::wire
