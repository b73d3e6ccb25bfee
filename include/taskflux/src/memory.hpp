#pragma once

// The embedded broker.
#include <taskflux/broker/memory.ipp>
