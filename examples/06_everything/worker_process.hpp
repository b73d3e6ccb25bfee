#pragma once

#include "runner.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <sys/types.h>

/// Runs the tasks in a second process: this program again, with --worker. Its standard input ends when this one
/// stops it, or dies; what it writes to its standard output are notes.
class worker_process : public runner {
public:
    worker_process(boost::asio::io_context& io, const settings& wanted, note_sink note);
    ~worker_process() override;
    worker_process(const worker_process&) = delete;
    worker_process& operator=(const worker_process&) = delete;

    /// A worker that ends unasked is replaced. Throws when that happens too often.
    boost::asio::awaitable<void> run() override;
    void stop() override;
    void quit() override;

private:
    void start();
    std::string wait_for_end();  ///< and says how it ended

    const settings wanted_;
    const note_sink note_;
    boost::asio::local::stream_protocol::socket wire_;
    pid_t process_ = 0;  ///< 0: none
    bool is_stopped_ = false;
};
