#pragma once

#include <taskflux/broker/redis/greeting.hpp>
#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/url.hpp>
#include <taskflux/broker/redis/verdict.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/redis/request.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace taskflux::redis::wire {

/// Which Sentinel to ask next where the master is, and what those that were asked have said. A round asks one
/// after the other until one knows; the one that knew last comes first in the next round.
class sentinel_round {
public:
    explicit sentinel_round(const redis_url& url)
        : named_(url.addresses), master_(url.master), all_(url.addresses) {}

    void begin() {
        next_ = 0;
        last_failures_ = std::exchange(failures_, {});
        refusal_.reset();
        has_heard_ = false;
    }

    /// Whom to ask now; nothing when all have been asked.
    std::optional<address> next() const {
        return next_ < all_.size() ? std::optional(all_[next_]) : std::nullopt;
    }

    /// The one whose turn it was can't be asked.
    void failed(std::string_view why) {
        failures_ += note(why);
        ++next_;
    }

    /// Reads the answer to `make_sentinel_question`: where the master is, if that one knows.
    std::optional<address> answered(const reply& from) {
        has_heard_ = true;
        reader in(from);
        auto refused = skip(in);
        if (refused.empty() && in.is_error()) refused = in.error();
        if (!refused.empty()) {
            refuse(refused);
            return std::nullopt;
        }
        if (in.is_nil()) {
            refusal_.emplace(errc::invalid_argument,
                             "the Sentinels know no master named \"" + master_ +
                                 "\": write redis+sentinel://hosts/name with the name of 'sentinel monitor', "
                                 "which SENTINEL MASTERS lists");
            failed("knows no master of that name");
            return std::nullopt;
        }
        auto master = read_master(in);
        if (!master) {
            failed("did not say where the master is");
            return std::nullopt;
        }
        remember(in);
        return master;
    }

    /// What the last one said was of no use: it may be behind the times, so the others are asked first.
    void misled() { std::rotate(all_.begin(), all_.begin() + 1, all_.end()); }

    /// What each of them said, in the last whole round without a master or in this one.
    std::string failures() const {
        auto said = failures_;
        if (next_ < all_.size()) said = last_failures_.empty() ? said + note("no answer yet") : last_failures_;
        return "no Sentinel says where the master \"" + master_ + "\" is (" + said + ')';
    }

    /// Whether any of them has answered.
    bool has_heard() const { return has_heard_; }

    /// The error to tell, if asking again won't help.
    const std::optional<error>& refusal() const { return refusal_; }

private:
    std::string note(std::string_view what) const {
        const auto& who = all_[next_];
        return (failures_.empty() ? "" : "; ") + who.host + ':' + std::to_string(who.port) + ": " + std::string(what);
    }

    // Passes over a whole answer, and gives its text if that is an error.
    static std::string skip(reader& in) {
        if (in.is_error()) return std::string(in.error());
        in.skip();
        return {};
    }

    void refuse(const std::string& text) {
        const auto& who = all_[next_];
        const auto said = "the Sentinel at " + who.host + ':' + std::to_string(who.port) + " says \"" + text + '"';
        const auto code = error_code(text);
        if (code == "WRONGPASS" || code == "NOAUTH" || code == "NOPERM") {
            const auto* const what = code == "WRONGPASS" ? ": correct " : code == "NOAUTH" ? ": add " : ": it is about ";
            refusal_.emplace(errc::invalid_argument,
                             said + what +
                                 "?sentinel_user=...&sentinel_password=... in the URL (what is before the '@' "
                                 "is for the servers)");
        } else if (text.find("unknown command") != std::string::npos) {
            refusal_.emplace(errc::invalid_argument,
                             said + ": the URL names Sentinels of Redis 6.2 or newer, whose port is usually "
                                    "26379; for a single server write redis://");
        }
        failed(text);
    }

    static std::optional<address> make_address(std::string_view host, std::string_view port) {
        address out{std::string(host), 0};
        const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), out.port);
        if (host.empty() || ec != std::errc() || end != port.data() + port.size() || out.port == 0) return std::nullopt;
        return out;
    }

    static std::optional<address> read_master(reader& in) {
        if (in.list() != 2) return std::nullopt;
        const auto host = in.text();
        return make_address(host, in.text());
    }

    // Puts the one that knew first, then those of the URL, then the others that it knows of.
    void remember(reader& in) {
        std::vector<address> found{all_[next_]};
        const auto add = [&](const address& one) {
            if (std::ranges::find(found, one) == found.end()) found.push_back(one);
        };
        for (const auto& one : named_) add(one);
        if (!in.is_error()) {
            for (auto left = in.list(); left > 0; --left) {
                std::string_view host;
                std::string_view port;
                for (auto fields = in.list(); fields >= 2; fields -= 2) {
                    const auto name = in.text();
                    const auto value = in.text();
                    if (name == "ip") host = value;
                    if (name == "port") port = value;
                }
                if (const auto one = make_address(host, port)) add(*one);
            }
        }
        all_ = std::move(found);
        next_ = 0;
        failures_.clear();
    }

    const std::vector<address> named_;
    const std::string master_;
    std::vector<address> all_;
    std::size_t next_ = 0;
    std::string failures_;
    std::string last_failures_;  // of the round before
    std::optional<error> refusal_;
    bool has_heard_ = false;
};

/// What a Sentinel is asked: who we are, where the master is, and which other Sentinels there are.
inline boost::redis::request make_sentinel_question(const redis_url& url) {
    auto out = make_request();
    say_hello(out, url.sentinel_user, url.sentinel_password);
    out.push("SENTINEL", "GET-MASTER-ADDR-BY-NAME", url.master);
    out.push("SENTINEL", "SENTINELS", url.master);
    return out;
}

}  // namespace taskflux::redis::wire
