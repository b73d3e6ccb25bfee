// Gives the precompiled header a source that uses it; CMake asks for one.
