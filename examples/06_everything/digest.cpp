#include "digest.hpp"

#include <openssl/evp.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what) {
    throw unreadable(std::string(what) + ": " + std::generic_category().message(errno));
}

class open_file {
public:
    explicit open_file(const std::string& path)
        : handle_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {  // a FIFO would block
        if (handle_ < 0) fail("cannot open");
    }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    ~open_file() { ::close(handle_); }

    bool is_regular() const {
        struct stat facts {};
        if (::fstat(handle_, &facts) != 0) fail("cannot stat");
        return S_ISREG(facts.st_mode);
    }

    /// The next piece; empty at the end.
    std::span<const unsigned char> read(std::span<unsigned char> into) const {
        ssize_t count = 0;
        do {
            count = ::read(handle_, into.data(), into.size());
        } while (count < 0 && errno == EINTR);
        if (count < 0) fail("cannot read");
        return into.first(static_cast<std::size_t>(count));
    }

private:
    int handle_;
};

class sha256 {
public:
    sha256() : state_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
        check(state_ && EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr) == 1);
    }

    void add(std::span<const unsigned char> bytes) {
        check(EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()) == 1);
    }

    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
        unsigned size = 0;
        check(EVP_DigestFinal_ex(state_.get(), raw.data(), &size) == 1);
        std::string text;
        for (const unsigned char byte : std::span(raw).first(size)) {
            text += "0123456789abcdef"[byte >> 4];
            text += "0123456789abcdef"[byte & 0xFU];
        }
        return text;
    }

private:
    static void check(bool succeeded) {
        if (!succeeded) throw std::runtime_error("OpenSSL has no SHA-256 here");
    }

    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state_;
};

bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

file_facts digest(const std::string& path, const may_go_on& go_on) {
    const open_file file(path);
    if (!file.is_regular()) throw unreadable("not a regular file");
    std::vector<unsigned char> buffer(std::size_t(256) * 1024);
    sha256 hash;
    file_facts facts;
    bool in_word = false;
    for (auto piece = file.read(buffer); !piece.empty(); piece = file.read(buffer)) {
        hash.add(piece);
        for (const unsigned char c : piece) {
            const bool is_in_word = !is_space(c);
            facts.lines += c == '\n' ? 1 : 0;
            facts.words += is_in_word && !in_word ? 1 : 0;
            in_word = is_in_word;
        }
        facts.size += piece.size();
        if (!go_on(facts.size)) throw unreadable("stopped before its end");
    }
    facts.sha256 = hash.hex();
    return facts;
}
