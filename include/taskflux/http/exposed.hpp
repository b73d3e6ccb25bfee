#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/schema.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/flow/client/submission.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskflux::http {

/// A task that a gateway lets its clients submit, without its types. A value; any thread may use it.
class exposed_task {
public:
    template <class R, class P>
    explicit exposed_task(const taskflux::detail::contract<R, P>& contract)
        : name_(contract.name()), queue_(contract.options().queue()), options_(contract.options()), normalise_(&normal_form<P>),
          payload_schema_(&schema<P>), result_schema_(&schema<R>), takes_bytes_(taskflux::detail::kind_of<P> == taskflux::detail::kind::bytes) {}

    std::string_view name() const { return name_; }
    const std::string& queue() const { return queue_; }

    /// For the library: the contract's.
    const task_options& options() const { return options_; }

    /// The payload that a text stands for, as its handler gets it: of a described type without what that does not have; bytes as
    /// they are. Errors: `decode_error`, with the place.
    std::string payload(std::string_view text) const { return normalise_(text); }

    /// Whether the payload is bytes of any kind, and not JSON.
    bool takes_bytes() const { return takes_bytes_; }

    /// Stores a task; `payload` as `payload()` has returned it. Errors: those of `broker::submit`.
    asio::awaitable<submitted> submit(broker_ptr broker, submit_options options, std::string payload) const;

    boost::json::object payload_schema(schema_builder& in) const { return payload_schema_(in); }
    boost::json::object result_schema(schema_builder& in) const { return result_schema_(in); }

private:
    template <class P>
    static std::string normal_form(std::string_view text) {
        if constexpr (std::is_void_v<P>) {
            if (!text.empty()) decode<void>(text);
            return "null";
        } else {
            return encode(decode<P>(text));
        }
    }

    template <class T>
    static boost::json::object schema(schema_builder& in) {
        return in.add<T>();
    }

    std::string name_;
    std::string queue_;
    task_options options_;
    std::string (*normalise_)(std::string_view);
    boost::json::object (*payload_schema_)(schema_builder&);
    boost::json::object (*result_schema_)(schema_builder&);
    bool takes_bytes_;
};

/// By name.
using exposed_tasks = std::map<std::string, exposed_task, std::less<>>;

}  // namespace taskflux::http
