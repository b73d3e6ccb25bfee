#pragma once

// Nodes, their directory, task trees.
#include <taskflux/admin/directory.ipp>
#include <taskflux/admin/inspector.ipp>
#include <taskflux/admin/node.ipp>
#include <taskflux/admin/node/core.ipp>
