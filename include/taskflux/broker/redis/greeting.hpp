#pragma once

#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/rights.hpp>
#include <taskflux/broker/redis/url.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/redis/request.hpp>

#include <charconv>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

namespace taskflux::redis::wire {

/// What a server told about itself; empty where it would not say.
struct server_facts {
    std::string version;
    std::string role;
    std::string mode;
    std::string run_id;
    std::string maxmemory_policy;
    std::set<std::string> missing_rights;  ///< rules of ACL SETUSER
};

/// A request that is never sent twice by itself, and waits its turn.
inline boost::redis::request make_request() {
    boost::redis::request::config config;
    config.cancel_on_connection_lost = false;
    config.cancel_if_not_connected = false;
    config.cancel_if_unresponded = true;
    config.hello_with_priority = false;
    return boost::redis::request(config);
}

/// Names us, and the user unless there is no password; switches to RESP3.
inline void say_hello(boost::redis::request& to, std::string_view user, std::string_view password) {
    if (password.empty()) {
        to.hello_setname("taskflux");
    } else {
        to.hello_setname(user.empty() ? "default" : user, password, "taskflux");
    }
}

/// The first commands on each connection; `channel` is subscribed to unless empty.
inline boost::redis::request make_setup(const redis_url& url, std::string_view channel) {
    auto out = make_request();
    say_hello(out, url.user, url.password);
    if (url.database != 0) out.push("SELECT", url.database);
    if (!channel.empty()) out.subscribe({channel});
    return out;
}

/// Asks for what `read_greeting` reads. `is_durable`: calls will wait for replicas.
inline boost::redis::request make_greeting(const std::string& prefix, bool is_durable) {
    auto out = make_request();
    out.push("HELLO");
    out.push("INFO", "server");
    out.push("CONFIG", "GET", "maxmemory-policy");
    ask_for_rights(out, prefix, is_durable);
    return out;
}

/// Like `make_greeting`, without the setting and the rights: for the connections after the first one of a process.
inline boost::redis::request make_short_greeting() {
    auto out = make_request();
    out.push("HELLO");
    out.push("INFO", "server");
    out.push("PING");
    return out;
}

/// `prefix`: of keys, for the rules of missing rights.
inline server_facts read_greeting(const reply& from, const std::string& prefix) {
    server_facts out;
    reader in(from);
    for (auto left = in.list(); left >= 2; left -= 2) {
        const auto name = in.text();
        if (name == "version") {
            out.version = in.text();
        } else if (name == "role") {
            out.role = in.text();
        } else if (name == "mode") {
            out.mode = in.text();
        } else {
            in.skip();
        }
    }
    if (in.is_error()) {
        in.skip();
    } else {
        const auto info = in.text();
        constexpr std::string_view name = "\nrun_id:";
        if (const auto at = info.find(name); at != std::string_view::npos) {
            const auto value = info.substr(at + name.size());
            out.run_id = value.substr(0, value.find_first_of("\r\n"));
        }
    }
    if (in.is_error() || in.is_text()) {
        in.skip();
    } else if (in.list() == 2) {
        in.skip();
        out.maxmemory_policy = in.text();
    }
    if (!in.done()) out.missing_rights = missing_rights(in, prefix);
    return out;
}

/// Throws `invalid_argument` for a Sentinel.
inline void check_is_server(const server_facts& told) {
    if (told.mode != "sentinel") return;
    throw error(errc::invalid_argument, "what answers there is a Sentinel, which stores nothing: write redis+sentinel://hosts/name "
                                        "with the name of 'sentinel monitor', or the port of a Redis server");
}

/// Throws `unavailable`: another server may be the master in a moment.
inline void check_is_master(const server_facts& told) {
    if (told.role == "master") return;
    throw error(errc::unavailable, "the server that the Sentinels named is a " + told.role + ", not the master; another is looked for");
}

/// Throws `unsupported` for a server older than 6.2.
inline void check_version(const std::string& version) {
    int major = 0;
    int minor = 0;
    const auto* const end = version.data() + version.size();
    const auto first = std::from_chars(version.data(), end, major);
    if (first.ptr != end) std::from_chars(first.ptr + 1, end, minor);
    if (major > 6 || (major == 6 && minor >= 2)) return;
    throw error(errc::unsupported, "the Redis server is version " + version + ", but 6.2 or newer is needed: upgrade it");
}

}  // namespace taskflux::redis::wire
