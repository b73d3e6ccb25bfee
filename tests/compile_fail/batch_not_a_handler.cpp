// expect: this batch handler cannot be called with the contract's items: it must take (std::span<taskflux::batch_item<Payload>>)
#include <taskflux/flow/worker.hpp>

#include <span>
#include <vector>

inline constexpr taskflux::task<double(double)> circumference{"circumference"};

void set_up(taskflux::worker& worker) {
#ifndef FIXED
    worker.on_batch(circumference, taskflux::batch_options{}.max(10), [](double radius) { return 6.28 * radius; });
#else
    worker.on_batch(circumference, taskflux::batch_options{}.max(10), [](std::span<taskflux::batch_item<double>> items) {
        std::vector<double> all;
        for (const auto& item : items) all.push_back(6.28 * item.payload());
        return all;
    });
#endif
}
