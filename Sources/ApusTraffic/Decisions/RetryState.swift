/// The retry decisions of one request. Made when the request is routed, asked after every failed try.
package struct RetryState: Sendable {
    package enum Answer: Hashable, Sendable {
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

    /// nil: no retries for this request. The retry headers of the request are read and removed.
    package init?(policy: RetryPolicy?, head: inout HTTPHead) {
        defer { for token in Self.consumed { head.remove(token) } }
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
        self.policy = policy
        self.conditions = conditions
        self.statusCodes = statusCodes
        remaining = policy?.retries ?? 1
        if let range = head.value(.xEnvoyMaxRetries),
            let asked = head.withBytes(range, { Decimal.unsigned($0) })
        {
            remaining = UInt32(clamping: asked)
        }
        nextInterval = max(1, (policy?.baseInterval ?? .milliseconds(25)).wholeNanoseconds)
        maxInterval = max(1, (policy?.maxInterval ?? .milliseconds(250)).wholeNanoseconds)
    }

    private static let consumed: [HeaderToken] = [
        .xEnvoyRetryOn, .xEnvoyRetryGRPCOn, .xEnvoyMaxRetries, .xEnvoyHedgeOnPerTryTimeout,
        .xEnvoyRetriableHeaderNames, .xEnvoyRetriableStatusCodes, .xEnvoyUpstreamRequestPerTryTimeout,
    ]

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
    package mutating func responseReceived(
        _ response: HTTPHead, breakerAllows: Bool, random: UInt64
    ) -> Answer {
        wantsRetry(response) ? attempt(breakerAllows, random) : .no
    }

    /// After a try ended without response headers.
    ///
    /// - Parameter requestStarted: some byte of the request went upstream.
    package mutating func resetReceived(
        _ reason: UpstreamReset, requestStarted: Bool, breakerAllows: Bool, random: UInt64
    ) -> Answer {
        wantsRetry(reason, requestStarted) ? attempt(breakerAllows, random) : .no
    }

    /// After a per-try (idle) time-out: as a reset of this side.
    package mutating func perTryTimedOut(breakerAllows: Bool, random: UInt64) -> Answer {
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
        if conditions.contains(.retriableHeaders), policy?.headers.contains(where: { $0.matches(response) }) ?? false {
            return true
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
    package mutating func hostTried(_ address: SocketAddress) { hosts.append(address) }

    /// `previous_hosts`: pass over this host and balance again?
    package func rejects(_ address: SocketAddress) -> Bool {
        (policy?.avoidsPreviousHosts ?? false) && hosts.contains(address)
    }

    /// How often balancing may be repeated.
    package var hostSelectionAttempts: Int { policy?.hostSelectionAttempts ?? 1 }
}
