#pragma once

// What docs/coming-from.md shows first, and objects that its other blocks take for granted.
#include "default.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/describe.hpp>

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>

struct picture {
    std::string file;
    int width = 100;
};
BOOST_DESCRIBE_STRUCT(picture, (), (file, width))

inline constexpr taskflux::task<std::string(picture)> resize{"resize"};
inline constexpr taskflux::task<int(std::vector<picture>)> album{"album"};
inline constexpr taskflux::task<void(std::string)> publish{"publish"};
inline constexpr taskflux::method<int(picture)> colours{"pictures", "colours"};

extern asio::io_context io;
extern taskflux::broker_ptr broker;
extern taskflux::client client;
extern taskflux::rpc rpc;
extern taskflux::directory directory;
extern taskflux::inspector inspector;
extern taskflux::scheduler scheduler;
extern taskflux::worker worker;
std::string scale(picture p);
