#pragma once

// Sees and steers what runs: nodes, services, task trees, statistics.
#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/events.hpp>
#include <taskflux/admin/events_observer.hpp>
#include <taskflux/admin/history.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/admin/metrics.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/admin/node_info.hpp>
#include <taskflux/admin/operation_options.hpp>
#include <taskflux/admin/process_metrics.hpp>
#include <taskflux/admin/search.hpp>
#include <taskflux/admin/statistics.hpp>
