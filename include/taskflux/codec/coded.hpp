#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/codec/coded/broker.hpp>
#include <taskflux/codec/payload_codec.hpp>
#include <taskflux/log.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace taskflux {

/// How `coded` reads what it did not write, and where it says what it can't read.
class coded_options {
public:
    coded_options() {}

    /// With `encrypted`: whether what is not encrypted is read, too. Default: no, so that nobody without a key can make up a payload.
    /// Say yes while a queue changes from plain payloads to encrypted ones.
    coded_options& take_plain(bool value) { return take_plain_ = value, *this; }

    /// For messages that can't be read. Default: warnings to the standard error stream.
    coded_options& log(log_sink sink) { return log_ = std::move(sink), *this; }

    bool take_plain() const { return take_plain_; }
    const log_sink& log() const { return log_; }

private:
    bool take_plain_ = false;
    log_sink log_;
};

/// A broker in front of `inner`, for which all that users' values become goes through the codecs, in this order on its way in:
/// payloads, results, failures, progress, logs, journals (steps, signals), schedules; calls and streams, too. Clients, workers and
/// whatever else is made with it work as before; its other end needs the same codecs.
///
///     const auto broker = taskflux::coded(taskflux::connect(executor, url), {taskflux::compressed(), taskflux::encrypted(keys)});
///
/// Not through the codecs go what brokers look at: names of queues, tasks and calls, ids, unique keys, headers, options, times, the
/// code and type of a failure, and boards. A payload that can't be read fails its attempt with `bad_payload`, and the task's
/// retry policy decides; a record shows what can't be read as it is stored (`codecs_of`). Sizes that brokers limit are those of what is
/// stored. It is closed with `inner`. Errors: `invalid_argument` for a null pointer, for two codecs of one name, and for one that is
/// not secret behind one that is (`payload_codec::is_secret`).
inline broker_ptr coded(broker_ptr inner, std::vector<payload_codec_ptr> codecs, coded_options options = coded_options()) {
    inner = detail::checked_broker(std::move(inner), "a coded broker");
    detail::codec_pipeline by(std::move(codecs), options.take_plain());
    return std::make_shared<detail::coded_broker>(std::move(inner), std::move(by), options.log());
}

}  // namespace taskflux
