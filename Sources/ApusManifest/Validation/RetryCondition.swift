internal import ApusModel
internal import ApusRegex

/// Words that `retryOn` and `grpcStatus` may use.
enum RetryCondition {
    static let names = [
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx",
        "refused-stream", "retriable-status-codes", "retriable-headers", "envoy-ratelimited",
        "http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal", "resource-exhausted",
        "unavailable",
    ]

    /// Statuses registered with IANA.
    static func isRegisteredStatus(_ code: Int) -> Bool {
        switch code {
        case 100...103, 200...208, 226, 300...305, 307, 308, 400...418, 421...426, 428, 429, 431, 451, 500...508,
            510, 511:
            true
        default: false
        }
    }

    static let grpcStatusNames = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]
}

extension Checks {
    func regexRewrite(_ expression: HTTPRewrite.Regex, _ path: @autoclosure Path) {
        guard expression.match.utf8.count <= 1024, let pattern = try? RE2Pattern(expression.match) else {
            regex(expression.match, "\(path()).match")
            return
        }
        if !pattern.accepts(substitution: expression.rewrite) {
            error(
                "\(path()).rewrite", "the rewrite refers to a group that the expression does not have",
                hint: "groups are \\1 to \\9, as many as the expression has parentheses")
        }
    }
}
