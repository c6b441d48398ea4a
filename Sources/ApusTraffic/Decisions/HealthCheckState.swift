/// What active health checks have found out about one host. A pure machine: it hears results and says what changed and
/// when to check again.
public struct HealthCheckState: Sendable {
    public enum Failure: Hashable, Sendable {
        /// The host answered, and not well. With `retriable` it counts towards the threshold.
        case active(retriable: Bool)
        /// No connection, or it broke.
        case network
        case timeout
        /// A request's answer said so (`x-envoy-immediate-health-check-fail`).
        case passive
    }

    /// What a result means for those who use the host.
    public enum Transition: Hashable, Sendable {
        case unchanged
        /// The threshold is not reached yet.
        case pending
        case changed
    }

    public private(set) var isHealthy: Bool
    public private(set) var isDegraded = false
    /// No result yet.
    public private(set) var isFirst = true
    /// The last result was a time-out, and the host is unhealthy.
    public private(set) var timedOut = false
    private var healthyInRow: UInt32 = 0
    private var unhealthyInRow: UInt32 = 0

    /// - Parameter isHealthy: what is assumed until the first result.
    public init(isHealthy: Bool = false) { self.isHealthy = isHealthy }

    public mutating func succeeded(isDegraded degraded: Bool, _ config: HealthCheckConfig) -> Transition {
        unhealthyInRow = 0
        var transition = Transition.unchanged
        if !isHealthy {
            healthyInRow &+= 1
            // The first result ever counts at once, so that a start is quick.
            if isFirst || healthyInRow >= config.healthyThreshold {
                isHealthy = true
                timedOut = false
                transition = .changed
            } else {
                transition = .pending
            }
        }
        if isFirst { transition = transition == .pending ? .pending : .changed }
        if degraded != isDegraded {
            isDegraded = degraded
            transition = .changed
        }
        isFirst = false
        return transition
    }

    public mutating func failed(_ failure: Failure, _ config: HealthCheckConfig) -> Transition {
        healthyInRow = 0
        var transition = Transition.unchanged
        if isHealthy {
            unhealthyInRow &+= 1
            let isFinal: Bool =
                switch failure {
                case .active(let retriable): !retriable
                case .passive: true
                case .network, .timeout: false
                }
            if isFinal || unhealthyInRow >= config.unhealthyThreshold {
                isHealthy = false
                transition = .changed
            } else {
                transition = .pending
            }
        }
        if isFirst, transition == .unchanged { transition = .changed }
        timedOut = !isHealthy && failure == .timeout
        isFirst = false
        return transition
    }

    /// How long to wait before the next check.
    ///
    /// - Parameters:
    ///   - succeeded: the check that was.
    ///   - hasTraffic: the cluster has had a connection.
    public static func interval(
        after succeeded: Bool, _ transition: Transition, hasTraffic: Bool, _ config: HealthCheckConfig, random: UInt64
    ) -> Duration {
        let base: Duration =
            switch (succeeded, hasTraffic) {
            case (false, true):
                transition == .pending ? config.unhealthyEdgeInterval : config.unhealthyInterval
            case (true, true): transition == .pending ? config.healthyEdgeInterval : config.interval
            case (false, false): config.noTrafficInterval
            case (true, false): config.noTrafficHealthyInterval
            }
        let nanoseconds = base.wholeNanoseconds
        let (share, overflow) = nanoseconds.multipliedReportingOverflow(by: Int64(config.intervalJitterPercent))
        let spread = overflow ? nanoseconds : share / 100
        var wait = base
        if spread > 0 { wait += .nanoseconds(Int64(Draw(random).derived(0) % UInt64(spread))) }
        let jitter = config.intervalJitter.wholeNanoseconds
        if jitter > 0 { wait += .nanoseconds(Int64(Draw(random).derived(1) % UInt64(jitter))) }
        return wait
    }
}

extension HealthCheckConfig {
    /// True if the pieces are found in the bytes one behind the other, whatever lies between them.
    public static func matches(_ pieces: [[UInt8]], in bytes: [UInt8]) -> Bool {
        var start = 0
        for piece in pieces where !piece.isEmpty {
            var found = -1
            var index = start
            while index + piece.count <= bytes.count {
                if bytes[index] == piece[0], bytes[index..<index + piece.count].elementsEqual(piece) {
                    found = index
                    break
                }
                index += 1
            }
            guard found >= 0 else { return false }
            start = found + piece.count
        }
        return true
    }
}

extension HealthCheckConfig.HTTPProbe {
    /// - Parameter body: as much of it as `bodyLimit` allows.
    public func judge(_ head: HTTPHead, body: [UInt8]) -> HealthCheckConfig.Verdict {
        let status = Int64(head.status)
        guard expectedStatuses.contains(where: { $0.contains(status) }) else {
            return .failed(retriable: retriableStatuses.contains { $0.contains(status) })
        }
        guard HealthCheckConfig.matches(expectedBody, in: body) else { return .failed(retriable: false) }
        if let serviceName {
            let name = head.value(HeaderName("x-envoy-upstream-healthchecked-cluster"))
            let matches = name.map { head.withBytes($0) { serviceName.matches($0) } }
            guard matches ?? serviceName.matches(UnsafeRawBufferPointer(start: nil, count: 0)) else {
                return .failed(retriable: false)
            }
        }
        return head.contains(HeaderName("x-envoy-degraded")) ? .degraded : .healthy
    }

    /// The request that asks.
    ///
    /// - Parameter authority: the value of `host`.
    public func request(authority: String) -> HTTPHead {
        var head = HTTPHead(
            method: method, path: path, authority: authority, fields: [("user-agent", "Envoy/HC")])
        headers.apply(to: &head, request: headers.readsHeads ? head : nil, response: nil, facts: StreamFacts())
        if !body.isEmpty { head.replace(.contentLength, decimal: UInt64(body.count)) }
        return head
    }
}

extension HealthCheckConfig.GRPCProbe {
    /// - Parameter authority: the value of `:authority`.
    public func request(authority: String) -> HTTPHead {
        var head = HTTPHead(
            method: "POST", path: "/grpc.health.v1.Health/Check", authority: authority,
            fields: [("content-type", "application/grpc"), ("te", "trailers"), ("user-agent", "Envoy/HC")])
        headers.apply(to: &head, request: headers.readsHeads ? head : nil, response: nil, facts: StreamFacts())
        return head
    }

    /// The message with its prefix: field 1 is the name of the service.
    public var body: [UInt8] {
        var message: [UInt8] = []
        if !service.isEmpty {
            message.append(0x0A)
            var length = service.utf8.count
            while length > 0x7F {
                message.append(UInt8(length & 0x7F) | 0x80)
                length >>= 7
            }
            message.append(UInt8(length))
            message += service.utf8
        }
        let count = UInt32(clamping: message.count)
        return [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + message
    }

    /// Healthy: status 0 and the word SERVING. Status and word may come in either order of being looked at, and nothing
    /// else than both will do.
    public func judge(_ head: HTTPHead, body: [UInt8], trailers: HTTPHead?) -> HealthCheckConfig.Verdict {
        guard head.status == 200, head.isGRPC else { return .failed(retriable: false) }
        let last = trailers ?? head
        let status = last.value(.grpcStatus).flatMap { last.withBytes($0) { Decimal.unsigned($0) } }
        guard status == 0, Self.serves(body) else { return .failed(retriable: false) }
        return .healthy
    }

    /// `HealthCheckResponse.status` (field 1, a varint) is SERVING (1) in the first message.
    private static func serves(_ body: [UInt8]) -> Bool {
        // Compressed answers were not asked for.
        guard body.count >= 5, body[0] == 0 else { return false }
        let length = body[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard length <= body.count - 5 else { return false }
        var status = 0
        var index = 5
        while index + 1 < 5 + length {
            // Nothing but field 1 as a one-byte number is expected; anything else is not understood.
            guard body[index] == 0x08, body[index + 1] < 0x80 else { return false }
            status = Int(body[index + 1])
            index += 2
        }
        return index == 5 + length && status == 1
    }
}
