// Map and reduce: a task calls a subtask for each file and adds up what they return. While it waits it takes no slot of
// its worker; run again after a crash, it finds the subtasks that it has made before.

#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/stop_on_error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

namespace asio = boost::asio;

using word_counts = std::map<std::string, int>;
inline constexpr taskflux::task<word_counts(std::string)> count_words{"count_words"};
inline constexpr taskflux::task<word_counts(std::vector<std::string>)> count_all{"count_all"};

word_counts on_count_words(std::string file) {
    std::ifstream in(file);
    word_counts counts;
    for (std::string word; in >> word;) ++counts[word];
    return counts;
}

asio::awaitable<word_counts> on_count_all(taskflux::context& ctx, std::vector<std::string> files) {
    word_counts total;
    const auto parts = co_await ctx.map(count_words, files, taskflux::window(4));  // at most four at a time
    for (const auto& part : parts) {
        for (const auto& [word, count] : part) total[word] += count;
    }
    co_return total;
}

asio::awaitable<void> demo(taskflux::client client, taskflux::worker& worker, std::vector<std::string> files) {
    const auto counts = co_await client.run(count_all, files);
    for (const auto& [word, count] : counts) std::cout << word << ": " << count << '\n';
    worker.stop();
}

int main() {
    const auto folder = std::filesystem::temp_directory_path() / "taskflux_example_07";
    std::filesystem::create_directories(folder);
    std::vector<std::string> files;
    for (const std::string text : {"tick tock tick", "tock", "tick boom"}) {
        std::ofstream(files.emplace_back((folder / std::to_string(files.size())).string())) << text;
    }
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "memory://");
    taskflux::worker worker{broker};
    worker.on(count_words, on_count_words).on(count_all, on_count_all);
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, worker.run(), handler);
    asio::co_spawn(io, demo(taskflux::client{broker}, worker, files), handler);
    io.run();
    std::filesystem::remove_all(folder);
    return handler.status();
}
