/// When a request may be tried again: `retry_on` and `retry_grpc_on`.
public struct RetryConditions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let serverError = RetryConditions(rawValue: 1 << 0)
    public static let gatewayError = RetryConditions(rawValue: 1 << 1)
    public static let reset = RetryConditions(rawValue: 1 << 2)
    public static let resetBeforeRequest = RetryConditions(rawValue: 1 << 3)
    public static let connectFailure = RetryConditions(rawValue: 1 << 4)
    public static let refusedStream = RetryConditions(rawValue: 1 << 5)
    public static let retriable4xx = RetryConditions(rawValue: 1 << 6)
    public static let retriableStatusCodes = RetryConditions(rawValue: 1 << 7)
    public static let retriableHeaders = RetryConditions(rawValue: 1 << 8)
    public static let envoyRatelimited = RetryConditions(rawValue: 1 << 9)
    /// Understood; without HTTP/3 it never applies.
    public static let http3PostConnectFailure = RetryConditions(rawValue: 1 << 10)
    public static let grpcCancelled = RetryConditions(rawValue: 1 << 16)
    public static let grpcDeadlineExceeded = RetryConditions(rawValue: 1 << 17)
    public static let grpcInternal = RetryConditions(rawValue: 1 << 18)
    public static let grpcResourceExhausted = RetryConditions(rawValue: 1 << 19)
    public static let grpcUnavailable = RetryConditions(rawValue: 1 << 20)

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
    public init?(word: some StringProtocol) {
        guard let found = Self.names.first(where: { $0.0 == word }) else { return nil }
        self = found.1
    }
}

/// `config.route.v3.RetryPolicy`.
public final class RetryPolicy: Sendable {
    public let conditions: RetryConditions
    /// Tries besides the first.
    public let retries: UInt32
    public let perTryTimeout: Duration?
    public let perTryIdleTimeout: Duration?
    public let statusCodes: [UInt16]
    public let headers: [HeaderMatch]
    /// Only requests that match one of these may be retried; empty means all.
    public let requestHeaders: [HeaderMatch]
    public let baseInterval: Duration
    public let maxInterval: Duration
    /// The two intervals as a request uses them, at least 1.
    let baseNanoseconds: Int64
    let maxNanoseconds: Int64
    /// `previous_hosts`: hosts of earlier tries are passed over.
    public let avoidsPreviousHosts: Bool
    /// How often balancing is repeated to find a host that was not tried.
    public let hostSelectionAttempts: Int
    /// `omit_canary_hosts`: hosts marked as canaries are passed over.
    public let avoidsCanaries: Bool
    /// `omit_host_metadata`: hosts with all of these values under `envoy.lb` are passed over; empty: none are.
    public let avoidedMetadata: [String: MetadataValue]
    /// `previous_priorities`: after every so many tries the priorities tried are left out; nil: never.
    public let leavesPrioritiesEvery: Int?
    public let resetHeaders: [ResetHeader]
    /// A wait that an answer asks for is obeyed up to so much.
    public let maxResetInterval: Duration

    /// A header of an answer that says when to come back.
    public struct ResetHeader: Sendable {
        public enum Format: Hashable, Sendable { case seconds, unixTimestamp }

        public let name: HeaderName
        public let format: Format

        public init(name: HeaderName, format: Format) {
            self.name = name
            self.format = format
        }
    }

    public init(
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
        baseNanoseconds = max(1, baseInterval.wholeNanoseconds)
        maxNanoseconds = max(1, self.maxInterval.wholeNanoseconds)
        self.avoidsPreviousHosts = avoidsPreviousHosts
        self.hostSelectionAttempts = hostSelectionAttempts
        self.avoidsCanaries = avoidsCanaries
        self.avoidedMetadata = avoidedMetadata
        self.leavesPrioritiesEvery = leavesPrioritiesEvery
        self.resetHeaders = resetHeaders
        self.maxResetInterval = maxResetInterval
    }
}
