#pragma once

#include <conformance/fixture.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace taskflux::conformance {

inline constexpr task_options here() { return task_options().queue("q"); }

inline constexpr task<int(int)> twice{"twice", here()};
inline constexpr task<void(int)> note{"note", here()};
inline constexpr task<int(int)> far{"far", task_options().queue("far")};
inline constexpr task<int(int)> parent{"parent", here()};
inline constexpr task<std::string()> flow{"flow", here()};
inline constexpr task<int(spawned)> total{"total", here()};

/// A worker on the backend that runs what each test says, and a client.
struct site {
    using body = std::function<asio::awaitable<int>(context&, int)>;

    explicit site(fixture& f, std::size_t concurrency = 8)
        : on(f), broker(&on.broker(), [](taskflux::broker*) {}), client(broker), inspector(broker),
          worker(broker, worker_options().concurrency(concurrency).queues({"q", "far"}).renewal_thread(false).lease(30s)) {
        const auto count = [this](context& ctx, int value) -> asio::awaitable<int> { return doubled(*this, ctx, value); };
        worker.on(twice, count);
        worker.on(far, count);
        worker.on(note, [this](int value) -> asio::awaitable<void> { return noted(*this, value); });
        worker.on(parent, [this](context& ctx, int value) -> asio::awaitable<int> { return parent_body(ctx, value); });
        worker.on(flow, [this](context& ctx) -> asio::awaitable<std::string> { return flow_body(ctx); });
        worker.on(total, [](context& ctx, spawned which) -> asio::awaitable<int> {
            int sum = 0;
            const auto all = co_await ctx.results(twice, which);
            for (const auto& one : all) sum += one.value.value_or(0);
            co_return sum;
        });
    }

    ~site() {
        if (!running) return;
        worker.stop();
        try {
            running->get();
        } catch (const std::exception& e) {
            BOOST_ERROR(e.what());
        }
    }

    void begin() { running.emplace(on.start(worker.run())); }

    static asio::awaitable<int> doubled(site& self, context& ctx, int value) {
        ++self.runs[value];
        self.headers = ctx.headers();
        self.remaining = ctx.remaining();
        if (value == self.fails_at) throw std::runtime_error("no luck");
        if (value == self.hangs_at) co_await ctx.wait_signal<int>("never");
        co_return 2 * value;
    }

    static asio::awaitable<void> noted(site& self, int value) {
        ++self.runs[value];
        co_return;
    }

    template <class T>
    T result(asio::awaitable<T> call) {
        return on.run(std::move(call));
    }

    task_state state(const task_id& id) { return on.run(on.broker().get(id))->state; }

    void until(const task_id& id, task_state wanted) {
        for (int i = 0; i != 1000 && state(id) != wanted; ++i) {
        }
        BOOST_REQUIRE(state(id) == wanted);
    }

    /// Lets the children go on that hang.
    void end_what_hangs(const task_id& of) {
        const auto tree = result(inspector.tree(of));
        for (const auto& child : tree.node.children) {
            if (!is_terminal(child.task.state)) result(client.signal(child.task.id, "never", 1));
        }
    }

    fixture& on;
    broker_ptr broker;
    taskflux::client client;
    taskflux::inspector inspector;
    taskflux::worker worker;
    std::function<asio::awaitable<int>(context&, int)> parent_body;
    std::function<asio::awaitable<std::string>(context&)> flow_body;
    std::map<int, int> runs;
    header_map headers;
    duration remaining{};
    int fails_at = -1, hangs_at = -1;
    std::optional<started<void>> running;
};

}  // namespace taskflux::conformance
