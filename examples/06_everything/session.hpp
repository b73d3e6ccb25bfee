#pragma once

#include "report.hpp"
#include "settings.hpp"
#include "walk.hpp"

/// Measures the files through a worker and a client of the broker at `wanted.url`. Throws `usage_error` for a
/// URL that names no broker, and what the broker throws.
run_report measure_files(const settings& wanted, const found& what);
