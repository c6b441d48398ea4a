/// When a request may be tried again: `retry_on` and `retry_grpc_on`.
package struct RetryConditions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let serverError = RetryConditions(rawValue: 1 << 0)
    package static let gatewayError = RetryConditions(rawValue: 1 << 1)
    package static let reset = RetryConditions(rawValue: 1 << 2)
    package static let resetBeforeRequest = RetryConditions(rawValue: 1 << 3)
    package static let connectFailure = RetryConditions(rawValue: 1 << 4)
    package static let refusedStream = RetryConditions(rawValue: 1 << 5)
    package static let retriable4xx = RetryConditions(rawValue: 1 << 6)
    package static let retriableStatusCodes = RetryConditions(rawValue: 1 << 7)
    package static let retriableHeaders = RetryConditions(rawValue: 1 << 8)
    package static let envoyRatelimited = RetryConditions(rawValue: 1 << 9)
    /// Understood; without HTTP/3 it never applies.
    package static let http3PostConnectFailure = RetryConditions(rawValue: 1 << 10)
    package static let grpcCancelled = RetryConditions(rawValue: 1 << 16)
    package static let grpcDeadlineExceeded = RetryConditions(rawValue: 1 << 17)
    package static let grpcInternal = RetryConditions(rawValue: 1 << 18)
    package static let grpcResourceExhausted = RetryConditions(rawValue: 1 << 19)
    package static let grpcUnavailable = RetryConditions(rawValue: 1 << 20)

    private static let names: [(String, RetryConditions)] = [
        ("5xx", .serverError), ("gateway-error", .gatewayError), ("reset", .reset),
        ("reset-before-request", .resetBeforeRequest), ("connect-failure", .connectFailure),
        ("refused-stream", .refusedStream), ("retriable-4xx", .retriable4xx),
        ("retriable-status-codes", .retriableStatusCodes), ("retriable-headers", .retriableHeaders),
        ("envoy-ratelimited", .envoyRatelimited), ("http3-post-connect-failure", .http3PostConnectFailure),
        ("cancelled", .grpcCancelled), ("deadline-exceeded", .grpcDeadlineExceeded), ("internal", .grpcInternal),
        ("resource-exhausted", .grpcResourceExhausted), ("unavailable", .grpcUnavailable),
    ]

    /// One word of `retry_on`.
    package init?(word: some StringProtocol) {
        guard let found = Self.names.first(where: { $0.0 == word }) else { return nil }
        self = found.1
    }
}

/// `config.route.v3.RetryPolicy`.
package final class RetryPolicy: Sendable {
    package let conditions: RetryConditions
    /// Tries besides the first.
    package let retries: UInt32
    package let perTryTimeout: Duration?
    package let perTryIdleTimeout: Duration?
    package let statusCodes: [UInt16]
    package let headers: [HeaderMatch]
    /// Only requests that match one of these may be retried; empty means all.
    package let requestHeaders: [HeaderMatch]
    package let baseInterval: Duration
    package let maxInterval: Duration
    /// `previous_hosts`: hosts of earlier tries are passed over.
    package let avoidsPreviousHosts: Bool
    /// How often balancing is repeated to find a host that was not tried.
    package let hostSelectionAttempts: Int
    /// `omit_canary_hosts`: hosts marked as canaries are passed over.
    package let avoidsCanaries: Bool
    /// `omit_host_metadata`: hosts with all of these values under `envoy.lb` are passed over; empty: none are.
    package let avoidedMetadata: [String: MetadataValue]
    /// `previous_priorities`: after every so many tries the priorities tried are left out; nil: never.
    package let leavesPrioritiesEvery: Int?
    package let resetHeaders: [ResetHeader]
    /// A wait that an answer asks for is obeyed up to so much.
    package let maxResetInterval: Duration

    /// A header of an answer that says when to come back.
    package struct ResetHeader: Sendable {
        package enum Format: Hashable, Sendable { case seconds, unixTimestamp }

        package let name: HeaderName
        package let format: Format

        package init(name: HeaderName, format: Format) {
            self.name = name
            self.format = format
        }
    }

    package init(
        conditions: RetryConditions, retries: UInt32 = 1, perTryTimeout: Duration? = nil,
        perTryIdleTimeout: Duration? = nil, statusCodes: [UInt16] = [], headers: [HeaderMatch] = [],
        requestHeaders: [HeaderMatch] = [], baseInterval: Duration = .milliseconds(25), maxInterval: Duration? = nil,
        avoidsPreviousHosts: Bool = false, hostSelectionAttempts: Int = 1, avoidsCanaries: Bool = false,
        avoidedMetadata: [String: MetadataValue] = [:], leavesPrioritiesEvery: Int? = nil,
        resetHeaders: [ResetHeader] = [], maxResetInterval: Duration = .seconds(300)
    ) {
        self.conditions = conditions
        self.retries = retries
        self.perTryTimeout = perTryTimeout
        self.perTryIdleTimeout = perTryIdleTimeout
        self.statusCodes = statusCodes
        self.headers = headers
        self.requestHeaders = requestHeaders
        self.baseInterval = baseInterval
        self.maxInterval = maxInterval ?? baseInterval * 10
        self.avoidsPreviousHosts = avoidsPreviousHosts
        self.hostSelectionAttempts = hostSelectionAttempts
        self.avoidsCanaries = avoidsCanaries
        self.avoidedMetadata = avoidedMetadata
        self.leavesPrioritiesEvery = leavesPrioritiesEvery
        self.resetHeaders = resetHeaders
        self.maxResetInterval = maxResetInterval
    }
}
