#include "sentinels.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

namespace test {

namespace {

using namespace std::chrono_literals;

constexpr const char* never = "3600000";  // milliseconds

// Of a list of names and values, such as Sentinels reply.
std::string field(const redis_value& list, const std::string& name) {
    for (std::size_t i = 0; i + 1 < list.items.size(); i += 2)
        if (list.items[i] == name) return list.items[i + 1].text;
    return {};
}

bool replication_of(redis_server& server, const std::vector<std::string>& lines) {
    const std::string info = server.command({"INFO", "replication"}).text;
    return std::all_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return info.find(line + "\r\n") != std::string::npos; });
}

void await(const char* what, const std::function<bool()>& holds) {
    const auto asked = [&] {
        try {
            return holds();
        } catch (const std::runtime_error&) {
            return false;  // a server whose role changes closes its connections
        }
    };
    if (!eventually(asked)) throw std::runtime_error(std::string("sentinels: no ") + what);
}

}  // namespace

sentinels::sentinels(const redis_server_options& servers) : password_(servers.password()) {
    for (auto& server : servers_) {
        // With a file, the role that the Sentinels give to a server outlives it.
        auto options = servers;
        options.config("save \"\"\nrepl-diskless-sync-delay 0\n");
        server = std::make_unique<redis_server>(options);
    }
    const std::string port = std::to_string(master().port());
    replica().command({"REPLICAOF", "127.0.0.1", port});
    for (auto& sentinel : sentinels_) {
        const std::string master_name = name;
        std::string config = "sentinel monitor " + master_name + " 127.0.0.1 " + port + " 2\n" +
                             "sentinel down-after-milliseconds " + master_name + ' ' + never + '\n' +
                             "sentinel failover-timeout " + master_name + " 4000\n";
        if (!password_.empty()) config += "sentinel auth-pass " + master_name + " " + password_ + "\n";
        sentinel = std::make_unique<redis_server>(redis_server_options().config(config).words({"--sentinel"}));
        sentinel->command({"SENTINEL", "DEBUG", "INFO-PERIOD", "200"});  // they look for changes of a role; by default 10 s
        sentinel->command({"SENTINEL", "DEBUG", "TILT-PERIOD", "1000"});  // and do nothing after they stood still; by default 30 s
    }
    talk_often(true);
    await("Sentinels that know one another", [&] {
        return all_sentinels([](redis_server& sentinel) {
            const auto others = sentinel.command({"SENTINEL", "SENTINELS", name}).items;
            return others.size() == count - 1 && std::all_of(others.begin(), others.end(), [](const auto& other) {
                       return field(other, "flags") == "sentinel";
                   });
        });
    });
    await_replica();
}

std::string sentinels::url() const {
    std::string result = "redis+sentinel://" + (password_.empty() ? "" : ":" + password_ + "@");
    for (const auto& sentinel : sentinels_)
        result += (sentinel == sentinels_[0] ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(sentinel->port());
    return result + "/" + name;
}

void sentinels::fail_over() {
    // It is refused for a moment after another one, and while no replica is known to be in step; and one that has begun is
    // given up where the replica's last word is older than a few of the short periods of INFO.
    const std::string port = std::to_string(replica().port());
    await("failover done", [&] {
        if (sentinel(0).command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name}).items.at(1) == port) return true;
        sentinel(0).connect().try_command({"SENTINEL", "FAILOVER", name});
        return false;
    });
    await("failover", [&] { return has_successor(); });
    master_ = 1 - master_;
    await_replica();
}

void sentinels::await_failover() {
    // They never take a replica that had been without its master for more than ten times as long before they suspected that: a
    // test, or a slow machine, may take longer than that.
    std::chrono::milliseconds silence = 1s;
    auto next = std::chrono::steady_clock::now();
    await("failover", [&] {
        if (std::chrono::steady_clock::now() >= next) {
            suspect(std::to_string(silence.count()));
            silence *= 2;
            next += 10s;
        }
        return has_successor();
    });
    suspect(never);
    master_ = 1 - master_;
}

bool sentinels::has_successor() {
    const std::string port = std::to_string(replica().port());
    return replication_of(replica(), {"role:master"}) && all_sentinels([&](redis_server& sentinel) {
               return sentinel.command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name}).items.at(1) == port;
           });
}

void sentinels::await_replica() {
    const std::string port = std::to_string(replica().port());
    const std::string of_master = "master_port:" + std::to_string(master().port());
    talk_often(true);
    await("replica in step", [&] {
        return replication_of(replica(), {"role:slave", of_master, "master_link_status:up"}) &&
               all_sentinels([&](redis_server& sentinel) {
                   const auto replicas = sentinel.command({"SENTINEL", "REPLICAS", name}).items;
                   return replicas.size() == 1 && field(replicas[0], "port") == port &&
                          field(replicas[0], "flags") == "slave" && field(replicas[0], "master-link-status") == "ok";
               });
    });
    talk_often(false);
}

void sentinels::talk_often(bool often) {
    all_sentinels([&](redis_server& sentinel) {
        sentinel.command({"SENTINEL", "DEBUG", "PUBLISH-PERIOD", often ? "200" : "2000"});
        return true;
    });
}

void sentinels::suspect(const std::string& after) {
    all_sentinels([&](redis_server& sentinel) {
        sentinel.command({"SENTINEL", "SET", name, "down-after-milliseconds", after});
        return true;
    });
}

bool sentinels::all_sentinels(const std::function<bool(redis_server&)>& hold) {
    return std::all_of(sentinels_.begin(), sentinels_.end(),
                       [&](const auto& sentinel) { return !sentinel->running() || hold(*sentinel); });
}

}  // namespace test
