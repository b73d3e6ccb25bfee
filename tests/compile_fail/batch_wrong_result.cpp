// expect: this batch handler does not return the contract's results: it must return std::vector<Result>, one for each item
// names: double
#include <taskflux/flow/worker.hpp>

#include <span>
#include <vector>

inline constexpr taskflux::task<double(double)> circumference{"circumference"};

void set_up(taskflux::worker& worker) {
#ifndef FIXED
    worker.on_batch(circumference, taskflux::batch_options{}, [](std::span<taskflux::batch_item<double>>) { return 6.28; });
#else
    worker.on_batch(circumference, taskflux::batch_options{}, [](std::span<taskflux::batch_item<double>> items) {
        return std::vector<double>(items.size(), 6.28);
    });
#endif
}
