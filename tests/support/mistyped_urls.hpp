#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace test {

/// URLs as people mistype them. The pieces of their passwords are "qXz1" and "wVk2", and nothing else has these.
inline std::vector<std::string> mistyped_urls() {
    return {
        // no scheme, or not quite one
        "user:qXz1wVk2@host:6379",
        "qXz1wVk2@host",
        ":qXz1wVk2@host/0",
        "//user:qXz1wVk2@host",
        "redis:user:qXz1wVk2@host",
        "redis:/user:qXz1wVk2@host",
        "redis//user:qXz1wVk2@host",
        "redis;//user:qXz1wVk2@host",
        "://user:qXz1wVk2@host",
        "user:qXz1wVk2@redis://host",
        "qXz1wVk2://host",
        // another scheme, another case, twice
        "http://user:qXz1wVk2@host",
        "redis+tls://user:qXz1wVk2@host",
        "Redis://user:qXz1wVk2@host",
        "MEMORY://user:qXz1wVk2@host",
        "memory://user:qXz1wVk2@host",
        "redis://redis://user:qXz1wVk2@host",
        "redis:redis://user:qXz1wVk2@host",
        // no '@', or elsewhere
        "redis://user:qXz1wVk2",
        "redis://:qXz1wVk2",
        "redis://user:qXz1wVk2:host:6379",
        "redis://user:qXz1wVk2/host",
        "redis://host:6379:qXz1wVk2",
        "redis://host/qXz1wVk2",
        "redis://host:6379/0/qXz1wVk2",
        "redis://qXz1wVk2@host",
        "redis://user%3AqXz1wVk2%40host",
        "redis://user:qXz1wVk2@",
        // spaces and line breaks, quotes, what a shell left over
        " redis://user:qXz1wVk2@host",
        "redis://user:qXz1 wVk2@host",
        "redis://user:qXz1wVk2@ho st",
        "redis://user:qXz1wVk2@host\n",
        "redis://user:qXz1\twVk2@host",
        "\"redis://user:qXz1wVk2@host\"",
        "REDIS_URL=redis://user:qXz1wVk2@host",
        "${REDIS_URL:-user:qXz1wVk2@host}",
        "redis://user:qXz1wVk2@${HOST}",
        "redis://user:qXz1wVk2@$HOST:6379",
        "$SCHEME://user:qXz1wVk2@host",
        "redis://user:qXz1wVk2@host:$PORT",
        // percent signs
        "redis://user:qXz1%wVk2@host",
        "redis://user:qXz1wVk2%@host",
        "redis://user:qXz1%2@host",
        "redis://user:qXz1%00wVk2@host",
        // what should have been encoded in the password
        "redis://user:qXz1/wVk2@host:6379/1",
        "redis://user:12/qXz1wVk2@host",
        "redis://user:qXz1#wVk2@host",
        "redis://user:qXz1?wVk2@host",
        "redis://user:12?qXz1=wVk2@host",
        "redis://user:12?timeout=qXz1wVk2@host",
        "redis://user:12?durable=qXz1wVk2@host",
        "redis://user:12?db=qXz1wVk2@host",
        "redis://user:qXz1@wVk2@host/x",
        "redis://user:qXz1@wVk2/@host",
        "redis://us[er:qXz1wVk2]@ho[st",
        "redis://[qXz1wVk2",
        "redis://[::1]qXz1wVk2",
        // passwords as options
        "redis://host?password=qXz1wVk2",
        "redis://host?qXz1wVk2",
        "redis://host?auth=qXz1wVk2&db=1",
        "redis://host?sentinel_password=qXz1wVk2",
        "redis://host?timeout=qXz1wVk2",
        "redis://host?ca=qXz1wVk2",
        "rediss://host?cert=qXz1wVk2",
        // Sentinels and sockets
        "redis+sentinel://user:qXz1wVk2@a,b",
        "redis+sentinel://user:qXz1/wVk2@a,b/main",
        "redis+sentinel://user:1/qXz1wVk2@a:26379/",
        "redis+sentinel://a,qXz1wVk2:x/main",
        "redis+sentinel://a/main/qXz1wVk2",
        "redis+sentinel://a/main?sentinel_pasword=qXz1wVk2",
        "redis+sentinel://a/main?sentinel_password=qXz1%wVk2",
        "redis+sentinels://:qXz1wVk2@a/main",
        "redis+unix://user:qXz1wVk2@run/redis.sock",
        "redis+unix:///:qXz1wVk2@/run/redis.sock",
        "redis+unix://user:qXz1/wVk2@/run/redis.sock",
        "unix:/user:qXz1wVk2@/run/redis.sock",
    };
}

/// Right ones whose password must not be seen either.
inline std::vector<std::string> urls_with_passwords() {
    return {
        "redis://user:qXz1wVk2@host",
        "redis://:qXz1wVk2@host:1/2?timeout=5s",
        "redis://user:qXz1@wVk2@host",
        "redis://user:qXz1:wVk2@host",
        "redis://user:qXz1%2FwVk2@host",
        "rediss://user:qXz1wVk2@host",
        "redis+unix://user:qXz1wVk2@/run/redis.sock",
        "redis+sentinel://user:qXz1@a,b/main?sentinel_user=u&sentinel_password=wVk2",
    };
}

inline bool shows_secret(std::string_view text) {
    return text.find("qXz1") != std::string_view::npos || text.find("wVk2") != std::string_view::npos;
}

}  // namespace test
