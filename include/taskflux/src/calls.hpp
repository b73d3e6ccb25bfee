#pragma once

// Methods, services, streams.
#include <taskflux/calls/rpc.ipp>
#include <taskflux/calls/rpc/core.ipp>
#include <taskflux/calls/rpc/messages.ipp>
#include <taskflux/calls/service.ipp>
#include <taskflux/calls/service/core.ipp>
#include <taskflux/calls/stream.ipp>
#include <taskflux/calls/stream/inlet.ipp>
#include <taskflux/calls/stream/outlet.ipp>
