#pragma once

#include <string>
#include <utility>

namespace taskflux {

/// How an operation is begun: `operation_options().by("ann").reason("the provider is back").dry_run()`. Setters may be chained; the
/// same name without an argument reads.
class operation_options {
public:
    operation_options() = default;

    /// Who begins it.
    operation_options& by(std::string who) { return by_ = std::move(who), *this; }
    const std::string& by() const { return by_; }

    /// Why.
    operation_options& reason(std::string why) { return reason_ = std::move(why), *this; }
    const std::string& reason() const { return reason_; }

    /// It only counts to how many tasks it would be done.
    operation_options& dry_run(bool on = true) { return dry_run_ = on, *this; }
    bool is_dry_run() const { return dry_run_; }

    /// Its id, so that a call which is made again, with the same verb, filter and `dry_run`, begins nothing twice: 1 to 256 bytes
    /// without control characters. If nothing is said, a new one.
    operation_options& id(std::string text) { return id_ = std::move(text), *this; }
    const std::string& id() const { return id_; }

private:
    std::string by_, reason_, id_;
    bool dry_run_ = false;
};

}  // namespace taskflux
