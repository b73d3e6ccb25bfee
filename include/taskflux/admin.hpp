#pragma once

// Sees and steers what runs: nodes, services, task trees.
#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/events.hpp>
#include <taskflux/admin/history.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/admin/node_info.hpp>
