#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/http/fasttask_options.hpp>
#include <taskflux/http/file_store.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace taskflux::detail {

/// The files of a FastTask deployment: where they are, and the threads on which they are read and written. Thread-safe.
class fasttask_files {
public:
    /// What a form has beside the file, in bytes, at most.
    static constexpr std::uint64_t form_size = 64 * 1024;

    /// Errors: those of `http::file_store`.
    fasttask_files(const fasttask_options& options, const broker_ptr& broker, log_sink log);
    ~fasttask_files();

    /// For calls on the pool's threads, which must not be the last that refer to this.
    const std::shared_ptr<http::file_store>& store() const { return store_; }
    asio::any_io_executor pool() { return pool_.get_executor(); }

    /// Has old files removed where it was looked for them long ago; returns at once. Called with each request that is about files,
    /// and at the start: a loop of its own would keep the program's context from ending.
    void tidy();

    time_point wall() const { return broker_->clock().wall(); }

private:
    const broker_ptr broker_;
    const log_sink log_;
    const std::shared_ptr<http::file_store> store_;
    std::atomic<bool> is_tidying_ = false;
    const bool does_tidy_;
    asio::thread_pool pool_;  // last: its threads use the others
};

}  // namespace taskflux::detail
