#pragma once

#include <array>

/// Names of OpenTelemetry's semantic conventions for messaging, version 1.44.0, where they are still in development: constants of our
/// own, as opentelemetry-cpp has them in new versions only.
namespace taskflux::otel::names {

inline constexpr char schema_url[] = "https://opentelemetry.io/schemas/1.44.0";

// Attributes.
inline constexpr char system[] = "messaging.system";
inline constexpr char operation_name[] = "messaging.operation.name";
inline constexpr char operation_type[] = "messaging.operation.type";
inline constexpr char destination_name[] = "messaging.destination.name";
inline constexpr char message_id[] = "messaging.message.id";
inline constexpr char message_count[] = "messaging.batch.message_count";
inline constexpr char client_id[] = "messaging.client.id";
inline constexpr char error_type[] = "error.type";
inline constexpr char server_address[] = "server.address";
inline constexpr char server_port[] = "server.port";

// Attributes of our own.
inline constexpr char task_name[] = "taskflux.task.name";
inline constexpr char attempt[] = "taskflux.attempt";  ///< 1 for the first
inline constexpr char outcome[] = "taskflux.outcome";  ///< of an attempt: succeeded, retried, failed, cancelled, …

// Metrics, for programs that record them with an SDK; `process_metrics` and `read_metrics` need none.
inline constexpr char client_operation_duration[] = "messaging.client.operation.duration";  ///< histogram, seconds
inline constexpr char client_sent_messages[] = "messaging.client.sent.messages";            ///< counter
inline constexpr char client_consumed_messages[] = "messaging.client.consumed.messages";    ///< counter, once for each delivery
inline constexpr char process_duration[] = "messaging.process.duration";                    ///< histogram, seconds
inline constexpr std::array<double, 14> duration_bounds{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};

}  // namespace taskflux::otel::names
