#pragma once

#include "settings.hpp"

#include <taskflux/broker/broker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

/// Runs this program's tasks.
class runner {
public:
    virtual ~runner() = default;

    /// Runs tasks until `stop`, and then those that are under way.
    virtual boost::asio::awaitable<void> run() = 0;
    virtual void stop() = 0;
    /// Ends at once what would outlive this process.
    virtual void quit() = 0;
};

/// Takes a line for the user, on the thread that runs the context.
using note_sink = std::function<void(const std::string&)>;

/// A broker in memory is served by this process, any other one by a second process.
std::unique_ptr<runner> make_runner(boost::asio::io_context& io, taskflux::broker_ptr broker, const settings& wanted,
                                    note_sink note);

/// The broker at `wanted.url`. Throws `usage_error` for a URL that names none.
taskflux::broker_ptr open_broker(boost::asio::io_context& io, const settings& wanted);

/// What the second process does: it runs tasks until its standard input ends, or SIGTERM, and writes notes to its
/// standard output, a line each.
void serve(const settings& wanted);
