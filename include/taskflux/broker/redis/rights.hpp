#pragma once

#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/verdict.hpp>
#include <taskflux/core/error.hpp>

#include <boost/redis/request.hpp>

#include <set>
#include <string>
#include <string_view>

namespace taskflux::redis::wire {

/// Tries each command that the engine's scripts call, as the connection's user, so that a missing right is found before a
/// script has written half of what it does. Gives a rule of ACL SETUSER for each missing one. The key holds a string, so that
/// commands for other types change nothing: they find the wrong type.
inline constexpr std::string_view rights_script = R"lua(
local key, channel, rules = KEYS[1], ARGV[1], {}
local function try(name, ...)
    local answer = redis.pcall(name, ...)
    local why = type(answer) == 'table' and answer.err
    -- Redis 7 and Valkey; Redis 6.2.
    if why and (string.find(why, 'ACL failure', 1, true) or string.find(why, 'The user executing the script', 1, true)) then
        local is_command = string.find(why, "run the '", 1, true) or string.find(why, 'run this command', 1, true)
        rules[#rules + 1] = is_command and '+' .. string.lower(name) or
                                string.find(why, 'channel', 1, true) and '&' .. string.match(channel, '^(.-:)') .. '*' or
                                '~' .. string.match(key, '^(.-:)') .. '*'
    end
    return not why
end
try('TIME')
try('PUBLISH', channel, '')
if not try('SET', key, '', 'PX', 1000) then return rules end  -- then others might write
for _, name in ipairs({'EXISTS', 'GET', 'HGETALL', 'HLEN', 'LLEN', 'SCARD', 'SMEMBERS', 'ZCARD'}) do try(name, key) end
for _, name in ipairs({'HDEL', 'HEXISTS', 'HGET', 'HMGET', 'HSTRLEN', 'LPOS', 'LPUSH', 'RPUSH', 'SADD', 'SREM', 'ZMSCORE', 'ZREM', 'ZSCORE'}) do
    try(name, key, '1')
end
for _, name in ipairs({'HINCRBY', 'HSET', 'HSETNX', 'LRANGE', 'LREM', 'LTRIM', 'ZADD', 'ZRANGE'}) do try(name, key, 1, 1) end
try('HSCAN', key, 0)
try('HRANDFIELD', key, 1)
try('PEXPIRE', key, 1000)
try('PERSIST', key)
for _, name in ipairs({'ZLEXCOUNT', 'ZRANGEBYLEX', 'XRANGE'}) do try(name, key, '-', '+') end
try('XREVRANGE', key, '+', '-')
try('XADD', key, '*', '#', 1)
try('XTRIM', key, 'MAXLEN', 1)
try('XLEN', key)
try('UNLINK', key)
try('DEL', key)
return rules
)lua";

/// Appends the commands that `missing_rights` reads the answers of. `is_durable`: also for the right to wait for replicas.
inline void ask_for_rights(boost::redis::request& to, const std::string& prefix, bool is_durable) {
    to.push("EVALSHA", "0000000000000000000000000000000000000000", 0);  // there is no such script
    to.push("SCRIPT", "LOAD", "return 0");
    to.push("EVAL", rights_script, 1, prefix + ":{rights}", prefix + ":in:rights");
    if (is_durable) to.push("WAIT", 0, 1);  // for no replica
}

/// The rules of ACL SETUSER that the connection's user lacks.
inline std::set<std::string> missing_rights(reader& in, const std::string& prefix) {
    std::set<std::string> rules;
    const auto is_refused = [](std::string_view said) { return error_code(said) == "NOPERM"; };
    if (is_refused(in.error())) rules.emplace("+evalsha");
    if (in.is_text()) in.skip();
    else if (is_refused(in.error())) rules.emplace("+script|load");
    if (!in.is_error()) {
        for (auto left = in.list(); left > 0; --left) rules.emplace(in.text());
    } else if (const auto said = in.error(); is_refused(said) && said.find("run the '") == said.npos) {
        rules.emplace('~' + prefix + ":*");  // EVAL itself is needed for this question only
    }
    if (!in.done() && in.is_error() && is_refused(in.error())) rules.emplace("+wait");
    return rules;
}

/// The rule that the user lacks whose SUBSCRIBE got that answer. Channels are those of `prefix`.
inline std::set<std::string> missing_to_subscribe(std::string_view answer, const std::string& prefix) {
    if (error_code(answer) != "NOPERM") return {};
    return {answer.find("run the '") != answer.npos ? "+subscribe" : '&' + prefix + ":*"};
}

/// Throws `invalid_argument`, with the rules in its text, unless there are none. An empty user is the default one.
inline void check_rights(const std::set<std::string>& missing, std::string_view user) {
    if (missing.empty()) return;
    std::string command = "ACL SETUSER " + std::string(user.empty() ? "default" : user);
    for (const auto& rule : missing) command += ' ' + rule;
    throw error(errc::invalid_argument, "the Redis user lacks rights that taskflux needs; grant them by: " + command);
}

}  // namespace taskflux::redis::wire
