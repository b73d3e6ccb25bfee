#pragma once

// What the code blocks of docs/statistics.md take for granted.
#include "default.hpp"

#include <iostream>
