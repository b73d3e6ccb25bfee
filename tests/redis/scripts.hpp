#pragma once

#include <support/observer.hpp>
#include <support/redis_client.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/redis/batch_items.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/broker/redis/scripts.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Scripts called by themselves, without a broker.
namespace test {

using namespace taskflux;
namespace scripts = taskflux::redis::scripts;
using redis::script;
using words = std::vector<std::string>;

/// Which words each script has answered in the cases so far.
inline std::map<std::string_view, std::set<std::string>> answered;

inline std::string record(std::uint32_t nonce, std::string own_id = {}) {
    auto task = plain_task();
    task.own_id = std::move(own_id);
    return redis::encode_record(task, nonce);
}

inline std::string end_of(std::uint64_t sequence, std::uint32_t nonce, settlement::kind how = settlement::kind::complete,
                          std::int64_t delay_ms = 0) {
    settlement end;
    end.key = {sequence, nonce};
    end.token = 1;
    end.how = how;
    end.data = "42";
    end.delay = taskflux::duration(delay_ms);
    return redis::ending_of(end);
}

struct scripts_fixture {
    scripts_fixture() { begin_life(); }
    void begin_life() { call(scripts::begin_life, {}, {"some life"}); }

    /// The answer; `own` are keys beside those that the script names.
    redis_value call(const script& what, const words& own, const words& args) {
        words command{"EVAL", std::string(what.text), std::to_string(what.keys.size() + own.size())};
        for (const char name : what.keys) command.push_back(key(std::string(1, name)));
        for (const auto& name : own) command.push_back(key(name));
        command.insert(command.end(), args.begin(), args.end());
        auto answer = server.command(command);
        answered[what.name].insert(answer.items.at(0).text);
        return answer;
    }

    /// The words and numbers of the answer; "~" for what is none.
    std::string said(const script& what, const words& own, const words& args) {
        std::string text;
        for (const auto& item : call(what, own, args).items) {
            text += (text.empty() ? "" : " ") + (item.type == redis_value::kind::list || item.is_nil() ? "~" : item.text);
        }
        return text;
    }

    static std::string key(const std::string& name) { return "tf:{q}:" + name; }

    void join(const std::string& consumer = "w") {
        BOOST_REQUIRE(said(scripts::join, {}, {consumer, "3600000", "channel"}).starts_with("OK "));
    }
    /// Stores a plain task alone.
    void store(std::uint32_t nonce) {
        const auto batch = std::to_string(++batches);
        maintain();
        call(scripts::enqueue_plain, {"p:me", "l:0"}, {"me", batch, run, "", "", record(nonce), ""});
    }
    void store_with_id(std::uint32_t nonce, const std::string& id) {
        const auto batch = std::to_string(++batches);
        maintain();
        call(scripts::enqueue, {"p:me", "l:0"}, {"me", batch, run, "", "", record(nonce, id), ""});
    }
    void maintain() { call(scripts::maintain, {"l:0", "a:w"}, {"100", run}); }
    words fetched(std::size_t most) const { return {"w", std::to_string(most), "", "1:w", "*"}; }
    /// A task for which time has come, about which nothing has been done.
    void let_something_fall_due() { server.command({"ZADD", key("d"), "1", "00000000000099"}); }
    void let_lease_end(const std::string& consumer = "w") { server.command({"ZADD", key("C"), "1", consumer}); }

    redis_server server;
    /// The server's run id, as calls bring it along.
    const std::string run = [this] {
        const auto told = server.command({"INFO", "server"}).text;
        return told.substr(told.find("run_id:") + 7, 40);
    }();
    int batches = 0;
};

}  // namespace test
