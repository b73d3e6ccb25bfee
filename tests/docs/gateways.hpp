#pragma once

#include "default.hpp"

#include <taskflux/http.hpp>
