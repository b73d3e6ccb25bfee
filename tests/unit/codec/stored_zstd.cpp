#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/codec/coded.hpp>
#include <taskflux/codec/encrypted.hpp>
#include <taskflux/codec/zstd.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a real server has of encrypted tasks: all of its keys, read raw.
namespace codec_stored {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using taskflux::context;
using taskflux::encryption_key;
using taskflux::key_ring;
using taskflux::worker_options;

const std::string secret = "top-secret";

inline constexpr taskflux::task<std::string(std::string)> echo{"echo"};
inline constexpr taskflux::task<std::string(std::string)> fails{"fails"};
inline constexpr taskflux::task<std::string(std::string)> outer{"outer"};

std::string reversed(const std::string& text) { return {text.rbegin(), text.rend()}; }

asio::awaitable<std::string> run_outer(context& ctx, std::string what) {
    const auto inner = co_await ctx.call(echo, what);
    const auto made = [&] { return what; };
    const auto kept = co_await ctx.step("kept", made);
    const auto told = co_await ctx.wait_signal<std::string>("told");
    ctx.progress(what);
    ctx.log(taskflux::log_level::info, what);
    co_return inner + kept + told;
}

struct program {
    test::redis_server server;
    asio::io_context io;
    taskflux::broker_ptr plain = taskflux::connect(io.get_executor(), server.url() + "?timeout=600s");
    taskflux::broker_ptr broker = taskflux::coded(
        plain, {taskflux::compressed(), taskflux::encrypted(key_ring("k1", encryption_key(std::string(32, 'a'))))});
    taskflux::client client{broker};
    taskflux::worker worker{broker, worker_options().log(nullptr)};

    program() {
        worker.on(echo, reversed);
        worker.on(outer, run_outer);
        worker.on(fails, [](std::string text) -> std::string { throw std::runtime_error(text); });
    }

    template <class Body>
    void run(Body body) {
        std::exception_ptr failure;
        asio::co_spawn(io, worker.run(), [this](std::exception_ptr) { plain->close(); });
        asio::co_spawn(io, body(*this), [&](std::exception_ptr error) {
            failure = error;
            worker.stop();
        });
        io.run_for(test::hang_limit);
        BOOST_TEST(io.stopped());
        if (failure) std::rethrow_exception(failure);
    }

    /// Everything that the server has, keys and values.
    std::string everything() {
        std::string all;
        for (const auto& key : server.command({"KEYS", "*"}).texts()) {
            all += key + '\n' + server.command({"DUMP", key}).text;
            const auto type = server.command({"TYPE", key}).text;
            const auto add = [&](const std::vector<std::string>& words) {
                const auto answer = server.command(words);
                all += answer.text + '\n';
                for (const auto& one : answer.texts()) all += one + '\n';
            };
            if (type == "string") all += server.command({"GET", key}).text + '\n';
            if (type == "hash") add({"HGETALL", key});
            if (type == "list") add({"LRANGE", key, "0", "-1"});
            if (type == "set") add({"SMEMBERS", key});
            if (type == "zset") add({"ZRANGE", key, "0", "-1"});
        }
        return all;
    }
};

asio::awaitable<void> all_kinds(program& with) {
    const auto long_text = [] {
        std::string made;
        for (int i = 0; i < 500; ++i) made += secret;
        return made;
    }();
    std::vector<std::string> many(50, secret);
    many.push_back(long_text);
    const auto jobs = co_await with.client.submit_all(echo, many);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const auto result = co_await jobs[i].result();
        BOOST_TEST(result == reversed(many[i]));
    }
    const auto failing = co_await with.client.submit(fails, secret);
    std::string told;
    try {
        co_await failing.result();
    } catch (const taskflux::task_failed& e) {
        told = e.failure().message;
    }
    BOOST_TEST(told == secret);
    const auto flow = co_await with.client.submit(outer, secret);
    co_await with.client.signal(flow.id(), "told", secret);
    const auto result = co_await flow.result();
    BOOST_TEST(result == reversed(secret) + secret + secret);
    const auto stored = co_await with.broker->set_schedule("default", "daily", "", secret, {});
    BOOST_TEST(stored);
    // The long text is compressed before it is encrypted: what is stored of it is shorter than itself.
    const auto record = co_await with.plain->get(jobs.back().id());
    BOOST_TEST((taskflux::codecs_of(record->payload) == "zstd aes-256-gcm:k1"));
    BOOST_TEST(record->payload.size() < 300U);
}

}  // namespace codec_stored

BOOST_AUTO_TEST_SUITE(codec_stored)

BOOST_AUTO_TEST_CASE(a_server_has_no_plain_text_of_an_encrypted_task_in_any_key) {
    program with;
    with.run(all_kinds);
    const auto all = with.everything();
    BOOST_TEST(all.find("aes-256-gcm:k1") != std::string::npos);  // it was looked at
    BOOST_TEST(all.find("std::runtime_error") != std::string::npos);
    BOOST_TEST(all.find(secret) == std::string::npos);
    BOOST_TEST(all.find(reversed(secret)) == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
