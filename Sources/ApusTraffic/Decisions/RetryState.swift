/// The retry decisions of one request. Made when the request is routed, asked after every failed try.
public struct RetryState: Sendable {
    public enum Answer: Hashable, Sendable {
        /// What happened does not call for another try.
        case no
        /// It does, but no try is left: flag URX.
        case exhausted
        /// It does, but the circuit breaker forbids it: flag UO.
        case overflow
        /// Try again after so long.
        case retry(after: Duration)
    }

    private let policy: RetryPolicy?
    private var conditions: RetryConditions
    private var statusCodes: [UInt16]
    private var remaining: UInt32
    private var nextInterval: Int64
    private let maxInterval: Int64
    private var hosts: [SocketAddress] = []
    private var priorities: [Int] = []
    /// Headers of an answer that the client wants a retry for.
    private var wantedHeaders: [HeaderName] = []

    /// nil: no retries for this request. The retry headers of the request are read and removed.
    public init?(policy: RetryPolicy?, head: inout HTTPHead) {
        defer { head.remove(Self.consumed) }
        var conditions = policy?.conditions ?? []
        conditions.formUnion(Self.conditions(head, .xEnvoyRetryOn))
        conditions.formUnion(Self.conditions(head, .xEnvoyRetryGRPCOn))
        if let required = policy?.requestHeaders, !required.isEmpty, !required.contains(where: { $0.matches(head) }) {
            return nil
        }
        guard !conditions.isEmpty else { return nil }
        var statusCodes = policy?.statusCodes ?? []
        if let range = head.value(.xEnvoyRetriableStatusCodes) {
            head.withBytes(range) { bytes in
                for part in bytes.split(separator: UInt8(ascii: ",")).prefix(100) {
                    let digits = part.filter { $0 != 0x20 }
                    if let code = digits.withUnsafeBytes({ Decimal.unsigned($0) }), let code = UInt16(exactly: code) {
                        statusCodes.append(code)
                    }
                }
            }
        }
        if conditions.contains(.retriableHeaders), let range = head.value(.xEnvoyRetriableHeaderNames) {
            for name in head.text(range).split(separator: ",").prefix(32) {
                let name = HeaderName(String(name.filter { $0 != " " }))
                if name.isValid { wantedHeaders.append(name) }
            }
        }
        self.policy = policy
        self.conditions = conditions
        self.statusCodes = statusCodes
        remaining = policy?.retries ?? 1
        if let range = head.value(.xEnvoyMaxRetries),
            let asked = head.withBytes(range, { Decimal.unsigned($0) })
        {
            remaining = UInt32(clamping: asked)
        }
        nextInterval = policy?.baseNanoseconds ?? 25_000_000
        maxInterval = policy?.maxNanoseconds ?? 250_000_000
    }

    private static let consumed = HeaderTokenSet([
        .xEnvoyRetryOn, .xEnvoyRetryGRPCOn, .xEnvoyMaxRetries, .xEnvoyHedgeOnPerTryTimeout,
        .xEnvoyRetriableHeaderNames, .xEnvoyRetriableStatusCodes, .xEnvoyUpstreamRequestPerTryTimeout,
    ])

    private static func conditions(_ head: HTTPHead, _ token: HeaderToken) -> RetryConditions {
        guard let range = head.value(token) else { return [] }
        var result: RetryConditions = []
        for word in head.text(range).split(separator: ",").prefix(32) {
            let trimmed = word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            if let condition = RetryConditions(word: String(trimmed)) { result.insert(condition) }
        }
        return result
    }

    /// After response headers, before anything of them went to the client.
    ///
    /// - Parameter breakerAllows: the cluster's retry limit or budget has room.
    ///   - wallSeconds: seconds since 1970, for answers that say when to come back.
    public mutating func responseReceived(
        _ response: HTTPHead, breakerAllows: Bool, random: UInt64, wallSeconds: Int64 = 0
    ) -> Answer {
        guard wantsRetry(response) else { return .no }
        let answer = attempt(breakerAllows, random)
        if case .retry = answer, let wait = askedWait(response, wallSeconds) {
            // Never earlier than asked, and not all at once.
            return .retry(after: .nanoseconds(wait &+ Int64(random % UInt64(max(1, wait / 2)))))
        }
        return answer
    }

    /// Nanoseconds that the answer asks to wait; nil: it does not, or too long.
    private func askedWait(_ response: HTTPHead, _ wallSeconds: Int64) -> Int64? {
        guard let policy else { return nil }
        for header in policy.resetHeaders {
            guard let range = response.value(header.name),
                let number = response.withBytes(range, { Decimal.unsigned($0) })
            else { continue }
            var seconds = Int64(clamping: number)
            if header.format == .unixTimestamp {
                guard seconds > wallSeconds else { continue }
                seconds -= max(0, wallSeconds)
            }
            guard seconds > 0, Duration.seconds(min(seconds, 1 << 32)) <= policy.maxResetInterval else { continue }
            return seconds &* 1_000_000_000
        }
        return nil
    }

    /// After a try ended without response headers.
    ///
    /// - Parameter requestStarted: some byte of the request went upstream.
    public mutating func resetReceived(
        _ reason: UpstreamReset, requestStarted: Bool, breakerAllows: Bool, random: UInt64
    ) -> Answer {
        wantsRetry(reason, requestStarted) ? attempt(breakerAllows, random) : .no
    }

    /// A try that goes on beside the next one took too long: whatever the conditions, another follows while there are some.
    public mutating func hedged(breakerAllows: Bool, random: UInt64) -> Answer { attempt(breakerAllows, random) }

    /// True if an answer does not call for another try, as its status and a look at its tokens tell; most are such.
    ///
    /// Mutating although it changes nothing: so it is asked in place, and the request's state is not copied.
    ///
    /// - Parameter hasSignals: some field of the answer is one of `signals`.
    public mutating func isIndifferent(to status: UInt16, hasSignals: Bool) -> Bool {
        status < 400 && !hasSignals && !conditions.contains(.retriableHeaders)
            && !(conditions.contains(.retriableStatusCodes) && statusCodes.contains(status))
    }

    /// What an answer may say about retries besides its status.
    public static let signals = HeaderTokenSet([.xEnvoyOverloaded, .xEnvoyRatelimited, .grpcStatus])

    /// Does an answer call for another try, whether or not there is one left?
    public func callsForRetry(_ response: HTTPHead) -> Bool { wantsRetry(response) }

    /// After a per-try (idle) time-out: as a reset of this side.
    public mutating func perTryTimedOut(breakerAllows: Bool, random: UInt64) -> Answer {
        wantsRetry(.localReset, true) ? attempt(breakerAllows, random) : .no
    }

    private mutating func attempt(_ breakerAllows: Bool, _ random: UInt64) -> Answer {
        guard remaining > 0 else { return .exhausted }
        remaining &-= 1
        guard breakerAllows else { return .overflow }
        // Fully jittered exponential back-off: the bound doubles up to the maximum.
        let bound = nextInterval
        nextInterval = nextInterval < maxInterval / 2 ? nextInterval &* 2 : maxInterval
        let delay = min(Int64(random % UInt64(bound)), maxInterval)
        return .retry(after: .nanoseconds(delay))
    }

    private func wantsRetry(_ response: HTTPHead) -> Bool {
        if response.contains(.xEnvoyOverloaded) { return false }
        if response.contains(.xEnvoyRatelimited) { return conditions.contains(.envoyRatelimited) }
        let status = response.status
        if conditions.contains(.serverError), status >= 500, status < 600 { return true }
        if conditions.contains(.gatewayError), status >= 502, status <= 504 { return true }
        if conditions.contains(.retriable4xx), status == 409 { return true }
        if conditions.contains(.retriableHeaders) {
            if policy?.headers.contains(where: { $0.matches(response) }) ?? false { return true }
            if wantedHeaders.contains(where: { response.contains($0) }) { return true }
        }
        if conditions.contains(.retriableStatusCodes), statusCodes.contains(status) { return true }
        return wantsGRPCRetry(response)
    }

    private func wantsGRPCRetry(_ response: HTTPHead) -> Bool {
        guard let range = response.value(.grpcStatus),
            let status = response.withBytes(range, { Decimal.unsigned($0) })
        else { return false }
        return switch status {
        case 1: conditions.contains(.grpcCancelled)
        case 4: conditions.contains(.grpcDeadlineExceeded)
        case 8: conditions.contains(.grpcResourceExhausted)
        case 13: conditions.contains(.grpcInternal)
        case 14: conditions.contains(.grpcUnavailable)
        default: false
        }
    }

    private func wantsRetry(_ reason: UpstreamReset, _ requestStarted: Bool) -> Bool {
        // An overflow of this proxy's own limits is not made better by another try.
        if reason == .overflow { return false }
        if conditions.contains(.reset) { return true }
        if conditions.contains(.resetBeforeRequest), !requestStarted { return true }
        if !conditions.isDisjoint(with: [.serverError, .gatewayError]) { return true }
        if conditions.contains(.refusedStream), reason == .remoteRefusedStream { return true }
        return conditions.contains(.connectFailure) && reason.isConnectFailure
    }

    // MARK: Hosts

    /// Notes where a try went.
    public mutating func hostTried(_ address: SocketAddress) { hosts.append(address) }

    /// The priority of a host that was tried.
    public mutating func priorityTried(_ priority: Int) {
        if policy?.leavesPrioritiesEvery != nil { priorities.append(priority) }
    }

    /// Priorities to leave out of the next choice.
    public var leftPriorities: [Int] {
        guard let every = policy?.leavesPrioritiesEvery, every > 0 else { return [] }
        let counted = priorities.count / every * every
        return Array(Set(priorities.prefix(counted))).sorted()
    }

    /// Pass over this host and balance again?
    ///
    /// - Parameter metadata: of the endpoint under `envoy.lb`.
    public func rejects(_ address: SocketAddress, metadata: [String: MetadataValue] = [:]) -> Bool {
        guard let policy else { return false }
        if policy.avoidsPreviousHosts, hosts.contains(address) { return true }
        if policy.avoidsCanaries, metadata["canary"] == .bool(true) { return true }
        return !policy.avoidedMetadata.isEmpty && policy.avoidedMetadata.allSatisfy { metadata[$0.key] == $0.value }
    }

    /// How often balancing may be repeated.
    public var hostSelectionAttempts: Int { policy?.hostSelectionAttempts ?? 1 }
}
