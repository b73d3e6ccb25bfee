#include "session.hpp"

#include "contracts.hpp"
#include "display.hpp"
#include "runner.hpp"
#include "text.hpp"

#include <taskflux/exec/executor.hpp>
#include <taskflux/flow/client.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <ranges>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

/// The URL without what may be secret in it: user, password and options.
std::string shown(const std::string& url) {
    const auto host = url.find("://") + 3;
    const auto end = url.find('?');
    const auto at = url.rfind('@', end);
    return at == std::string::npos ? url.substr(0, end) : url.substr(0, host) + "***" + url.substr(at, end - at);
}

/// One run, as its user sees it. All of it lives on the one thread that runs `io`.
class session {
public:
    session(asio::io_context& io, const settings& wanted, const found& what)
        : files_(what.files), signals_(io, SIGINT, SIGTERM), broker_(open_broker(io, wanted)),
          client_(broker_), runner_(make_runner(io, broker_, wanted, [this](const std::string& text) { display_.note(text); })),
          waiters_(io.get_executor(), taskflux::executor_options().concurrency(wanted.threads + 64)),
          jobs_(files_.size()), seen_(files_.size()), has_ended_(files_.size()) {
        report_.rows.resize(files_.size());
        std::uint64_t bytes = 0;
        for (const auto& file : files_) bytes += file.size;
        for (std::size_t i = 0; i < files_.size(); ++i) {
            const bool is_bulk = files_[i].size > bytes / files_.size();
            (is_bulk ? bulk_ : express_).push_back(i);
            report_.rows[i].name = files_[i].shown;
            report_.rows[i].queue = is_bulk ? "bulk" : "express";
        }
        progress_.express.total = express_.size();
        progress_.bulk.total = bulk_.size();
        progress_.total_bytes = bytes;
        display_.note(grouped(files_.size()) + (files_.size() == 1 ? " file, " : " files, ") + bytes_text(bytes) + ", " + std::to_string(wanted.threads) +
                      (wanted.threads == 1 ? " thread, " : " threads, ") + printable(shown(wanted.url)) + ": " + grouped(express_.size()) + " express, " +
                      grouped(bulk_.size()) + " bulk (above the average of " + bytes_text(bytes / files_.size()) + ")");
        await_signal();
    }

    asio::awaitable<void> run() {
        co_await submit("bulk", bulk_);
        flaky_ = co_await client_.submit(flaky, 2U);
        co_await submit("express", express_);
        co_await (first_to_fail(serve()) && first_to_fail(collect()));
    }

    /// Why it ended, if that was not as it should.
    std::exception_ptr failure() const { return failure_; }

    /// Ends everything that keeps the execution context busy.
    void close() {
        signals_.cancel();
        display_.close();
        broker_->close();
    }

    run_report report() && { return std::move(report_); }

private:
    /// Keeps the error of what failed first: that of the other, which is cancelled then, says nothing.
    asio::awaitable<void> first_to_fail(asio::awaitable<void> part) {
        try {
            co_await std::move(part);
        } catch (...) {
            if (!failure_) failure_ = std::current_exception();
            throw;
        }
    }

    // --- what is asked for ------------------------------------------------------------------------------

    asio::awaitable<void> submit(std::string queue, const std::vector<std::size_t>& indices) {
        const auto name_of = [this](std::size_t i) { return file_name{encode_name(files_[i].path)}; };
        const auto names = indices | std::views::transform(name_of);
        const auto options = taskflux::submit_options().queue(queue);
        auto jobs = co_await client_.submit_all(measure, options, names);
        for (std::size_t i = 0; i < indices.size(); ++i) jobs_[indices[i]] = std::move(jobs[i]);
    }

    /// The tasks' life. After an interruption, what it has not begun is given up.
    asio::awaitable<void> serve() {
        if (!report_.is_interrupted) co_await runner_->run();
        co_await give_up(flaky_.id().queue, std::vector(1, flaky_.id().key));
        co_await give_up("express", keys_left(express_));
        co_await give_up("bulk", keys_left(bulk_));
    }

    std::vector<taskflux::task_key> keys_left(const std::vector<std::size_t>& indices) const {
        std::vector<taskflux::task_key> keys;
        for (const auto i : indices) {
            if (!has_ended_[i]) keys.push_back(jobs_[i].id().key);
        }
        return keys;
    }

    asio::awaitable<void> give_up(std::string queue, std::vector<taskflux::task_key> keys) {
        if (!keys.empty()) co_await broker_->cancel(std::move(queue), std::move(keys));
    }

    // --- what comes back --------------------------------------------------------------------------------

    struct ticket {
        session* self;
        std::size_t index;
    };

    /// Waits for all files, in the order in which they will be served, some at a time.
    asio::awaitable<void> collect() {
        const auto ticket_of = [this](std::size_t i) { return ticket{this, i}; };
        auto tickets = std::vector<ticket>();
        for (const auto* indices : {&express_, &bulk_}) {
            for (const auto i : *indices) tickets.push_back(ticket_of(i));
        }
        co_await waiters_.submit_all(collect_one, tickets);
        co_await collect_retries();
        runner_->stop();
    }

    static asio::awaitable<void> collect_one(ticket one) {
        auto& self = *one.self;
        const auto& job = self.jobs_[one.index];
        auto outcome = co_await job.outcome(200ms);
        while (!outcome) {
            const auto bytes = co_await job.progress<std::uint64_t>();
            self.show_bytes(one.index, bytes.value_or(0));
            outcome = co_await job.outcome(200ms);
        }
        self.on_ended(one.index, *outcome);
    }

    void on_ended(std::size_t index, const taskflux::job_outcome<file_facts>& outcome) {
        auto& row = report_.rows[index];
        if (outcome.value) {
            row.how = ending::measured;
            row.facts = *outcome.value;
        } else if (outcome.failure) {
            row.how = ending::failed;
            row.reason = outcome.failure->message;
        }
        has_ended_[index] = true;
        if (outcome.value || outcome.failure) ++(row.queue == "bulk" ? progress_.bulk : progress_.express).done;
        show_bytes(index, outcome.value || outcome.failure ? files_[index].size : 0);
    }

    void show_bytes(std::size_t index, std::uint64_t bytes) {
        progress_.bytes += bytes - seen_[index];
        seen_[index] = bytes;
        display_.update(progress_);
    }

    asio::awaitable<void> collect_retries() {
        const auto outcome = co_await flaky_.outcome();
        if (!outcome->value) co_return;
        const auto record = co_await flaky_.record();
        std::string story = "the flaky task:";
        for (const auto& line : record.log) {
            const auto after = line.at - record.log.front().at;
            story += (after == 0ms ? " " : ", ") + line.text + " at " + std::to_string(after.count()) + " ms";
        }
        report_.retries = std::move(story);
    }

    // --- Ctrl-C -----------------------------------------------------------------------------------------

    void await_signal() {
        signals_.async_wait([this](const boost::system::error_code& ec, int) {
            if (ec) return;
            if (report_.is_interrupted) {
                display_.note("quit");
                runner_->quit();
                std::_Exit(exit_interrupted);
            }
            report_.is_interrupted = true;
            display_.note("interrupted: files under way are finished, the rest is given up; once more quits at once");
            runner_->stop();
            await_signal();
        });
    }

    const std::vector<found_file>& files_;
    asio::signal_set signals_;
    display display_;
    taskflux::broker_ptr broker_;
    taskflux::client client_;
    std::unique_ptr<runner> runner_;
    taskflux::executor waiters_;

    std::vector<std::size_t> express_;  // indices of files_, and of what follows
    std::vector<std::size_t> bulk_;
    std::vector<taskflux::job<file_facts>> jobs_;
    std::vector<std::uint64_t> seen_;
    std::vector<bool> has_ended_;
    taskflux::job<unsigned> flaky_;
    run_progress progress_;
    run_report report_;
    std::exception_ptr failure_;
};

}  // namespace

run_report measure_files(const settings& wanted, const found& what) {
    const auto start = std::chrono::steady_clock::now();
    asio::io_context io(1);
    session current(io, wanted, what);
    asio::co_spawn(io, current.run(), [&](std::exception_ptr error) {
        current.close();
        if (error) std::rethrow_exception(current.failure() ? current.failure() : error);
    });
    io.run();
    auto report = std::move(current).report();
    report.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    return report;
}
