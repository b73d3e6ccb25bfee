#pragma once

#include <taskflux/calls/stream/inlet.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/serial_executor.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/client/task_stream.hpp>
#include <taskflux/flow/job.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <charconv>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

std::shared_ptr<inlet> open_inlet(broker_ptr broker, std::size_t window, fault_list faults, std::string_view task) {
    return inlet::open(std::move(broker), window, faults, "task " + std::string(task));
}

std::string stream_header_for(const inlet& reader) { return std::to_string(reader.window()) + ' ' + reader.address(); }

stream_reader read_stream_header(std::string_view text) {
    stream_reader made;
    const auto* const end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data(), end, made.window);
    if (failure != std::errc() || at == end || *at != ' ') {
        throw error(errc::invalid_argument, "header " + std::string(stream_header) + " can't be read: \"" + std::string(text) +
                                                "\" is not a window and an address; leave this header to client::run");
    }
    made.address.assign(at + 1, end);
    return made;
}

/// Closes the reader with an error when the task has ended: the regular end of a stream comes from its source.
asio::awaitable<void> close_after(broker_ptr broker, task_id id, std::weak_ptr<inlet> reader, fault_list faults) {
    auto why = std::make_exception_ptr(
        error(errc::unavailable, "the stream of task " + to_string(id) + " has lost values: the task has succeeded, and its "
                                 "last values were not received; submit it again"));
    try {
        const auto ended = co_await broker->wait(id, taskflux::job<void>::forever);
        if (ended) value_of<void>(*ended, id, faults);
    } catch (...) {
        why = std::current_exception();
    }
    if (const auto in = reader.lock()) in->close(why);
}

void follow_task(const task_id& id, inlet& reader) {
    const auto broker = reader.broker();
    const auto strand = make_serial(broker->get_executor());
    const auto stop = std::make_shared<asio::cancellation_signal>();
    reader.attach(never, nullptr, [broker, id, strand, stop](bool has_ended) {
        if (broker->is_closed()) return;  // perhaps with its context: nothing is posted there then
        asio::post(strand, [stop] { stop->emit(asio::cancellation_type::terminal); });
        if (!has_ended) cancel_in_background(broker, id);
    });
    const auto keep = [stop](std::exception_ptr) {};  // what it threw, the reader has heard
    spawn_on(strand, close_after(broker, id, reader.weak_from_this(), reader.faults()), keep, stop->slot());
}

}  // namespace taskflux::detail
