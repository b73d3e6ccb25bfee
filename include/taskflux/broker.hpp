#pragma once

// Where tasks live: the interface, the embedded implementation and that on Redis. One conformance suite.
#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/broker/claims.hpp>
#include <taskflux/broker/error_groups.hpp>
#include <taskflux/broker/events.hpp>
#include <taskflux/broker/exchange.hpp>
#include <taskflux/broker/history.hpp>
#include <taskflux/broker/inspection.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/operations.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/broker/search.hpp>
#include <taskflux/broker/statistics.hpp>
#include <taskflux/broker/tasks.hpp>
#include <taskflux/broker/why.hpp>
