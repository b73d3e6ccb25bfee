#pragma once

#include <taskflux/codec/coded.hpp>
#include <taskflux/codec/encrypted.hpp>

#include "default.hpp"
