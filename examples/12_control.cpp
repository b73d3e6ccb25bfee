// Control of a queue: a provider takes 10 requests a second of each customer, and one customer floods it, which delays no other;
// changes are indexed in batches, one for each customer; and a duplicate is replaced by a newer one before it runs.

#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/stop_on_error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/describe/class.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct request {
    std::string customer;
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(request, (), (customer, number))

// The key of a task is its customer, whose name is stored in clear: tasks of different keys take turns, and the worker declares below
// that each key has this limit. The limit stays on a server when the program ends. Its burst is 1: starts are 100 ms apart.
inline constexpr auto ask_provider =
    taskflux::task<void(request)>{"ask_provider", taskflux::task_options{}.queue("provider")}.key(&request::customer);
inline constexpr auto per_customer = taskflux::limit().rate(10, 1s);

// These have no key: they start as they come. The worker groups them by customer when it makes batches, which is another thing.
inline constexpr taskflux::task<void(request)> add_to_index{"add_to_index", taskflux::task_options{}.queue("index")};
inline constexpr taskflux::task<void(std::string)> rebuild{"rebuild"};

std::vector<request> requests_of(const std::string& customer, int many) {
    std::vector<request> made;
    for (int i = 0; i < many; ++i) made.push_back({customer, i});
    return made;
}

/// What has been done. All handlers are coroutines on the one thread of `main`.
struct record {
    std::map<std::string, int> asked;
    std::map<std::string, std::size_t> indexed;
    std::vector<std::string> rebuilt;
};

asio::awaitable<void> ask_for(record& done, request what) {
    ++done.asked[what.customer];
    co_return;
}

asio::awaitable<void> index_all(record& done, std::span<taskflux::batch_item<request>> items) {
    done.indexed[items.front().payload().customer] = items.size();  // all are of one customer
    co_return;
}

asio::awaitable<void> rebuild_from(record& done, std::string data) {
    done.rebuilt.push_back(data);
    co_return;
}

asio::awaitable<void> show(taskflux::client client, taskflux::worker& worker, record& done, taskflux::stop_on_error handler) {
    const auto flood = co_await client.submit_all(ask_provider, requests_of("flood", 12));
    const auto ann = co_await client.submit_all(ask_provider, requests_of("ann", 2));  // behind the flood, and yet not delayed by it
    const auto ben = co_await client.submit_all(ask_provider, requests_of("ben", 2));

    const auto of_ann = co_await client.submit_all(add_to_index, requests_of("ann", 3));
    const auto of_ben = co_await client.submit_all(add_to_index, requests_of("ben", 2));

    const auto newest_wins = taskflux::submit_options().unique("rebuild").on_duplicate(taskflux::duplicate::replace);
    const auto first = co_await client.submit(rebuild, newest_wins, "old data");
    const auto second = co_await client.submit(rebuild, newest_wins, "new data");

    const auto begun = steady_clock::now();
    const auto here = co_await asio::this_coro::executor;
    asio::co_spawn(here, worker.run(), handler);
    for (const auto& one : ann) co_await one.result();
    for (const auto& one : ben) co_await one.result();
    std::cout << "ann: " << done.asked["ann"] << ", ben: " << done.asked["ben"] << ", the flood still waits: " << std::boolalpha
              << (done.asked["flood"] < 6) << '\n';
    for (const auto& one : flood) co_await one.result();
    std::cout << "the flood: " << done.asked["flood"] << ", in about a second: " << (steady_clock::now() - begun > 900ms) << '\n';

    for (const auto& one : of_ann) co_await one.result();
    for (const auto& one : of_ben) co_await one.result();
    for (const auto& [customer, many] : done.indexed) std::cout << "a batch of " << customer << ": " << many << '\n';

    co_await second.result();
    std::cout << "replaced: " << second.is_duplicate() << ", the same task: " << (first.id() == second.id()) << '\n';
    for (const auto& data : done.rebuilt) std::cout << "rebuilt from " << data << '\n';
    worker.stop();
}

int main() {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "memory://");
    taskflux::worker worker{broker};
    record done;
    worker.key_limit(std::string(ask_provider.options().queue()), per_customer);  // a misspelt name would limit another queue
    worker.on(ask_provider, [&](request what) { return ask_for(done, std::move(what)); });
    worker.on_batch(add_to_index, taskflux::batch_options{}.max(10).by(&request::customer),
                    [&](std::span<taskflux::batch_item<request>> items) { return index_all(done, items); });
    worker.on(rebuild, [&](std::string data) { return rebuild_from(done, std::move(data)); });
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, show(taskflux::client{broker}, worker, done, handler), handler);
    io.run();
    return handler.status();
}
