#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/codec/coded/pipeline.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/task.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The texts of tasks as they are stored, and as they are read: which of them go through the codecs, and to which place each is
/// bound. Names, ids, unique keys, headers, queues and boards are not among them: brokers look at those.
class coded_texts {
public:
    explicit coded_texts(codec_pipeline by) : by_(std::move(by)) {}

    const codec_pipeline& by() const { return by_; }

    static std::string payload_place(const std::string& queue, const std::string& task) { return "payload\n" + queue + '\n' + task; }
    static std::string operation_place(const std::string& queue, const std::string& id, std::string_view field) {
        return "operation\n" + queue + '\n' + id + '\n' + std::string(field);
    }
    static std::string schedule_place(const std::string& queue, const std::string& id) { return "schedule\n" + queue + '\n' + id; }

    void encode(const std::string& queue, std::vector<new_task>& tasks) const {
        for (auto& one : tasks) {
            if (one.spec) one.payload = by_.encode(std::move(one.payload), payload_place(queue, one.spec->name));
        }
    }

    /// The delivery says so where its payload can't be read, whatever the reason: the others of its fetch must reach their worker.
    void decode(const std::string& queue, delivery& what) const noexcept {
        try {
            decode_payload(queue, what);
        } catch (...) {
            what.unreadable = std::current_exception();
        }
    }

    void decode(const std::string& queue, peeked_task& what) const noexcept {
        try {
            what.payload = by_.decode(std::move(what.payload), payload_place(queue, what.spec->name));
        } catch (...) {
            what.unreadable = std::current_exception();
        }
    }

    void encode(task_reply& what) const {
        what.result = by_.encode(std::move(what.result), result_place);
        if (!what.forwarded || !what.forwarded->spec) return;
        auto& task = *what.forwarded;
        task.payload = by_.encode(std::move(task.payload), payload_place(what.forward_to, task.spec->name));
    }

    void encode(settlement& end) const {
        switch (end.how) {
            case settlement::kind::complete: end.data = by_.encode(std::move(end.data), result_place); break;
            case settlement::kind::fail:
            case settlement::kind::retry: end.data = encode_failure(std::move(end.data)); break;
            case settlement::kind::release:
            case settlement::kind::cancel:
            case settlement::kind::suspend:
            case settlement::kind::throttle: break;
        }
    }

    void encode(const std::string& queue, attempt_report& news) const {
        if (news.progress) news.progress = by_.encode(std::move(*news.progress), place("progress", queue));
        for (auto& line : news.log) {
            line.from.reset();  // its broker says so
            auto whole = taskflux::encode(line);
            auto coded = by_.encode(whole, place("log", queue));
            if (coded == whole) continue;
            line.text = std::move(coded);
            line.fields.clear();
        }
    }

    /// Throws `bad_payload` for a result that can't be read.
    void decode(const task_id& id, task_outcome& end) const {
        end.error = decode_failure(std::move(end.error));
        if (end.state != task_state::succeeded) return;
        try {
            end.result = by_.decode(std::move(end.result), std::string(result_place));
        } catch (const error& e) {
            throw error(errc::bad_payload, "the result of task " + to_string(id) + " can't be read: " + e.what());
        }
    }

    /// What can't be read keeps the form in which it is stored, which no reader of a value takes for one; so does a plain text
    /// where texts must be encrypted, as anybody could have written it.
    void decode(task_record& record) const {
        const auto& queue = record.id.queue;
        const auto decode_any = [this](std::string& text, const std::string& where) {
            if (!text.empty()) try_decode(text, where);
        };
        decode_any(record.payload, payload_place(queue, record.name));
        decode_any(record.result, std::string(result_place));
        decode_any(record.progress, place("progress", queue));
        record.error = decode_failure(std::move(record.error));
        for (auto& line : record.log) decode(queue, line);
    }

    /// As those of a record.
    std::string failure_of(std::string stored) const { return decode_failure(std::move(stored)); }
    void decode(const std::string& queue, log_line& line) const {
        const auto from = line.from;
        try_decode(line, place("log", queue));
        line.from = from;
    }

    /// The place of a subtask is read by brokers; where all else is secret, it goes without its payload's fingerprint.
    /// `stored`: what is there under the keys that are set.
    void encode(const task_id& id, journal_write& what, const std::vector<journal_entry>& stored) const {
        for (auto& item : what.items) {
            const auto found = std::ranges::find(stored, item.key, &journal_entry::key);
            if (found != stored.end() && is_text_of(id, *found, item.text)) {
                item.text = found->text;
                continue;
            }
            if (item.key.starts_with(journal_letter::subtask)) {
                if (!by_.is_secret() || item.text.empty()) continue;
                auto place_of = child_place::parse(item.text);
                place_of.digest.clear();
                item.text = place_of.text();
            } else if (!item.text.empty()) {
                item.text = by_.encode(std::move(item.text), journal_place(id, item.key));
            }
        }
    }

    std::string encode_signal(const task_id& id, const std::string& name, std::string value) const {
        return by_.encode(std::move(value), journal_place(id, signal_key(name, 1)));
    }

    /// As records: for who looks at a journal, and has not asked for what can't be read.
    void show(const task_id& id, journal_entry& entry) const {
        if (entry.key.starts_with(journal_letter::subtask)) return decode(id, entry);
        if (!entry.text.empty()) try_decode(entry.text, journal_place(id, entry.key));
    }

    /// Throws `bad_payload` for a step or signal that can't be read. The result of a subtask is read as that of a record.
    void decode(const task_id& id, journal_entry& entry) const {
        if (!entry.key.starts_with(journal_letter::subtask)) {
            if (entry.text.empty()) return;
            try {
                entry.text = by_.decode(std::move(entry.text), journal_place(id, entry.key));
            } catch (const error& e) {
                throw error(errc::bad_payload, "entry " + in_quotes(entry.key) + " in the journal of task " + to_string(id) +
                                                   " can't be read: " + e.what());
            }
        } else if (entry.outcome) {
            if (entry.outcome->state == task_state::succeeded) try_decode(entry.outcome->result, std::string(result_place));
            entry.outcome->error = decode_failure(std::move(entry.outcome->error));
        }
    }

private:
    // Brokers carry these two from subtasks to parents, whatever queues those are in.
    static constexpr std::string_view result_place = "result", failure_place = "failure";

    static std::string place(std::string_view what, const std::string& queue) { return std::string(what).append(1, '\n') + queue; }

    /// Signals of one name share their place: their numbers are the broker's.
    static std::string journal_place(const task_id& id, std::string_view key) {
        if (key.starts_with(journal_letter::signal)) key = key.substr(0, key.rfind('#'));
        return ("journal\n" + to_string(id)).append(1, '\n').append(key);
    }

    bool is_text_of(const task_id& id, const journal_entry& stored, const std::string& text) const {
        try {
            return by_.decode(stored.text, journal_place(id, stored.key)) == text;
        } catch (const error&) {
            return false;
        }
    }

    void decode_payload(const std::string& queue, delivery& what) const {
        try {
            what.payload = by_.decode(what.payload, payload_place(queue, what.spec->name));
        } catch (const error& e) {
            throw error(errc::bad_payload,
                        "the payload of task " + what.spec->name + " in queue " + queue + " can't be read: " + e.what());
        }
    }

    void try_decode(std::string& text, const std::string& where) const {
        if (!coded_parts_of(text)) {
            if (by_.refuses_plain()) text = codec_pipeline::in_form({}, text);
            return;
        }
        try {
            text = by_.decode(text, where);
        } catch (const error&) {  // it stays as it is
        }
    }

    void try_decode(log_line& line, const std::string& where) const {
        if (!coded_parts_of(line.text)) {
            if (!by_.refuses_plain()) return;
            line.text = codec_pipeline::in_form({}, taskflux::encode(line, any_size()));
            line.fields.clear();
            return;
        }
        try {
            line = taskflux::decode<log_line>(by_.decode(line.text, where));
        } catch (const error&) {  // it stays as it is
        }
    }

    /// Brokers have limits for what is stored.
    static decode_limits any_size() { return decode_limits().max_size((std::numeric_limits<std::size_t>::max)()); }

    /// A failure stays one, whose code and type everybody can read; its message is the whole of it.
    std::string encode_failure(std::string text) const {
        if (text.empty()) return text;  // the task keeps the one that it has
        auto coded = by_.encode(text, failure_place);
        if (coded == text) return text;
        failure outer;
        try {
            const auto inner = taskflux::decode<failure>(text, any_size());
            outer.code = inner.code;
            outer.type = inner.type;
        } catch (const error&) {
            outer.code = "task_failed";
        }
        outer.message = std::move(coded);
        return taskflux::encode(outer, any_size());
    }

    /// Brokers write failures, too: those are read as they are. That of a parent ends with its subtask's message, as it is stored.
    std::string decode_failure(std::string stored) const {
        if (stored.find("$coded") == std::string::npos) return stored;
        failure outer;
        try {
            outer = taskflux::decode<failure>(stored, any_size());
        } catch (const error&) {
            return stored;
        }
        const auto from = outer.message.find(coded_form::begin);
        if (from == std::string::npos || !coded_parts_of(std::string_view(outer.message).substr(from))) return stored;
        try {
            auto whole = by_.decode(outer.message.substr(from), failure_place);
            if (from == 0) return whole;
            outer.message.replace(from, std::string::npos, taskflux::decode<failure>(whole, any_size()).message);
        } catch (const error& e) {
            outer.message.replace(from, std::string::npos, "what it says can't be read: " + std::string(e.what()));
        }
        return taskflux::encode(outer, any_size());
    }

    const codec_pipeline by_;
};

}  // namespace taskflux::detail
