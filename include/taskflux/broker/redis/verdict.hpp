#pragma once

#include <taskflux/broker/broker/server_trouble.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace taskflux::redis::wire {

/// What to do about an error that the server sent instead of a reply.
enum class remedy {
    load_script,  ///< the script is not there: load it, send again
    reconnect,    ///< this server may not do it, another one that takes its place may
    put_off,      ///< nothing was done; the same may work in a moment
    none          ///< throw it
};

/// The word that an error begins with, as in "OOM command not allowed ...". Redis 6.2 hides it in a sentence
/// when the error came up inside a script: "ERR Error running script (call to f_...): @user_script:1: -OOM
/// ...". Up to 7.0 a script is refused a right without the code.
inline std::string_view error_code(std::string_view text) {
    if (text.starts_with("ERR ") && text.find("The user executing the script can't") != std::string_view::npos) return "NOPERM";
    if (text.starts_with("ERR Error running script")) {
        if (const auto inner = text.find(": -"); inner != std::string_view::npos)
            text.remove_prefix(inner + 3);
    }
    return text.substr(0, text.find(' '));
}

inline remedy remedy_for(std::string_view text) {
    const auto code = error_code(text);
    if (code == "NOSCRIPT") return remedy::load_script;
    if (code == "READONLY" || code == "MASTERDOWN") return remedy::reconnect;
    if (code == "LOADING" || code == "BUSY" || code == "TRYAGAIN" || code == "CLUSTERDOWN" ||
        code == "NOREPLICAS" || code == "MISCONF") {
        return remedy::put_off;
    }
    return remedy::none;
}

/// What an error of the server means to who reads it; empty where its own words say all.
inline std::string_view meaning_of(std::string_view text) {
    struct meaning {
        std::string_view code, says;
    };
    static constexpr meaning meanings[] = {
        {"OOM", "it is full; raise its maxmemory, or let tasks finish and expire"},
        {"WRONGPASS", "correct the user and password in redis://user:password@host"},
        {"NOAUTH", "it wants a password, write redis://:password@host"},
        {"NOPERM", "grant the user what it lacks, for instance by ACL SETUSER <user> ~<prefix>:* &<prefix>:* +@all, where the "
                   "prefix is tf unless the URL has another"},
        {"MOVED", "it is one of several nodes of a cluster, which taskflux does not support yet; use a server that has all "
                  "slots, with Sentinels for failover"},
        {"ASK", "it is one of several nodes of a cluster, which taskflux does not support yet; use a server that has all "
                "slots, with Sentinels for failover"},
        {"CLUSTERDOWN", "it runs in cluster mode, and not all slots are served; see CLUSTER INFO there"},
        {"TRYAGAIN", "slots of its cluster are being moved"},
        {"READONLY", "it is a replica; connect to the master, or name the Sentinels: redis+sentinel://"},
        {"MASTERDOWN", "it is a replica that has lost its master; connect to the master, or name the Sentinels: redis+sentinel://"},
        {"LOADING", "it has been started, and reads its data from disk"},
        {"BUSY", "it has been running another script for long; SCRIPT KILL there ends one that has not written"},
        {"MISCONF", "it can't save to disk and takes no writes until it can; see its log, and its disk"},
        {"NOREPLICAS", "it takes no writes while fewer replicas than its setting min-replicas-to-write are connected"},
    };
    const auto code = error_code(text);
    for (const auto& one : meanings) {
        if (one.code == code) return one.says;
    }
    return {};
}

/// The words of the server, and what they mean.
inline std::string in_words(std::string_view text) {
    const auto means = meaning_of(text);
    return "the Redis server says \"" + std::string(text) + '"' + (means.empty() ? "" : ": ") + std::string(means);
}

/// The exception for an error of the server, with what to do about it.
inline error to_error(std::string_view text) {
    const auto code = error_code(text);
    const auto is = [&](auto... codes) { return ((code == codes) || ...); };
    errc meant = errc::protocol;
    if (is("OOM")) meant = errc::queue_full;
    else if (is("WRONGPASS", "NOAUTH", "NOPERM")) meant = errc::invalid_argument;
    else if (is("MOVED", "ASK")) meant = errc::unsupported;
    else if (const auto helps = remedy_for(text); helps == remedy::reconnect || helps == remedy::put_off) meant = errc::unavailable;
    return {meant, in_words(text)};
}

/// Throws the exception for an error of the server: one that may pass by itself, or be mended on the server, is trouble of it.
[[noreturn]] inline void throw_error(std::string_view text) {
    const auto code = error_code(text);
    const auto is = [&](auto... codes) { return ((code == codes) || ...); };
    if (is("OOM", "NOPERM", "MOVED", "ASK")) throw detail::server_trouble(to_error(text));
    throw to_error(text);
}

/// The exception for an error while a connection was set up; nothing where trying again may help.
inline std::optional<error> refusal_for(std::string_view text) {
    const auto code = error_code(text);
    if (code == "WRONGPASS" || code == "NOAUTH" || code == "NOPERM") return to_error(text);
    const auto has = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
    const auto quoted = "the Redis server says \"" + std::string(text) + '"';
    if (has("called without any password configured")) {
        return error(errc::invalid_argument,
                     quoted + ": it has no password; leave it out of the URL, or set one");
    }
    if (has("DB index")) {
        return error(
            errc::invalid_argument,
            quoted + ": the URL names a database that it does not have; see its setting 'databases'");
    }
    if (code == "NOPROTO" || has("unknown command")) {
        return error(errc::unsupported, quoted + ": Redis 6.2 or newer is needed");
    }
    return std::nullopt;
}

/// What Boost.Redis says of a connection that is lost or did not come about, with what it may mean where that is not plain.
/// `before` is what was made of what it said before: the end of a connection also ends what it begins with.
inline std::string explained(std::string_view trouble, std::string_view before, bool is_tls) {
    constexpr std::string_view silence = "the server does not answer: it stands still, or is busy with something that takes long";
    const auto has = [&](std::string_view part) { return trouble.find(part) != std::string_view::npos; };
    if (has("Pong timeout")) return std::string(silence);
    if (has("Setup request execution failed: Operation canceled")) {
        if (before == silence) return std::string(silence);
        return is_tls ? "the server closed the connection after the TLS handshake: it may want a client's certificate, "
                        "cert= and key= in the URL"
                      : "the server closed the connection at once: the port may want TLS, rediss://";
    }
    std::string out(trouble);
    if (has("SSL handshake timeout")) out += ": the port may not speak TLS, then it is redis://";
    return out;
}

}  // namespace taskflux::redis::wire
