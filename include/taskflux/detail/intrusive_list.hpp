#pragma once

#include <cstddef>
#include <utility>

namespace taskflux::detail {

/// Makes a class a possible member of one `intrusive_list` at a time.
template <class T>
class list_hook {
public:
    list_hook() = default;
    list_hook(const list_hook&) = delete;
    list_hook& operator=(const list_hook&) = delete;

private:
    template <class>
    friend class intrusive_list;
    T* next_ = nullptr;
    T* previous_ = nullptr;
};

/// A doubly linked list that owns nothing and allocates nothing. Everything is O(1).
template <class T>
class intrusive_list {
public:
    intrusive_list() = default;
    intrusive_list(intrusive_list&& other) noexcept { swap(other); }
    intrusive_list& operator=(intrusive_list&& other) noexcept {
        swap(other);
        return *this;
    }

    bool empty() const noexcept { return !first_; }
    std::size_t size() const noexcept { return size_; }
    T* front() const noexcept { return first_; }
    T* back() const noexcept { return last_; }
    static T* next(const T& item) noexcept { return hook(item).next_; }

    void push_back(T& item) noexcept {
        hook(item).previous_ = last_;
        (last_ ? hook(*last_).next_ : first_) = &item;
        last_ = &item;
        ++size_;
    }

    /// Takes out the first item; null when there is none.
    T* pop_front() noexcept {
        T* item = first_;
        if (item) erase(*item);
        return item;
    }

    /// `item` must be in this list.
    void erase(T& item) noexcept {
        auto& links = hook(item);
        (links.previous_ ? hook(*links.previous_).next_ : first_) = links.next_;
        (links.next_ ? hook(*links.next_).previous_ : last_) = links.previous_;
        links.next_ = links.previous_ = nullptr;
        --size_;
    }

    /// Moves all of `other` behind what is here.
    void append(intrusive_list& other) noexcept {
        if (other.empty()) return;
        (last_ ? hook(*last_).next_ : first_) = other.first_;
        hook(*other.first_).previous_ = last_;
        last_ = std::exchange(other.last_, nullptr);
        other.first_ = nullptr;
        size_ += std::exchange(other.size_, 0);
    }

    /// Moves all of `other` before what is here.
    void prepend(intrusive_list& other) noexcept {
        other.append(*this);
        swap(other);
    }

private:
    static list_hook<T>& hook(T& item) noexcept { return item; }
    static const list_hook<T>& hook(const T& item) noexcept { return item; }

    void swap(intrusive_list& other) noexcept {
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
        std::swap(size_, other.size_);
    }

    T* first_ = nullptr;
    T* last_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace taskflux::detail
