#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/dialect.hpp>
#include <taskflux/http/fasttask_options.hpp>

#include <string_view>
#include <utility>

namespace taskflux {

/// Serves the clients of FastTask: `/run/T`, `/create/T` and `/check/T` of each exposed task, `/revoke`, `/upload`, `/download` and
/// `/status_info`, answered as that does.
///
///     gate.expose(get_hypotenuse).mount(taskflux::fasttask_dialect());
///
/// Tasks whose payload is bytes are not served. What differs is in docs/fasttask.md.
class fasttask_dialect final : public http::dialect {
public:
    explicit fasttask_dialect(fasttask_options options = fasttask_options()) : options_(std::move(options)) {}

    std::string_view name() const override { return "fasttask"; }

    /// Errors: those of `http::file_store` for a folder of files that can't be used, and of `http::users` for a users file that is
    /// not valid.
    void add_to(http::routes& to, const http::gateway_parts& with) override;

private:
    fasttask_options options_;
};

}  // namespace taskflux
