#pragma once

// Whole programs from one config; needs both brokers.
#include <taskflux/app/app.ipp>
#include <taskflux/app/app/command_line.ipp>
#include <taskflux/app/app/configured.ipp>
#include <taskflux/app/app/core.ipp>
#include <taskflux/app/app/log_file.ipp>
#include <taskflux/app/config.ipp>
#include <taskflux/app/config/check.ipp>
