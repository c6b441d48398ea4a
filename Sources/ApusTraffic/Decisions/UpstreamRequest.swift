internal import ApusRegex

/// The time-outs of one request. nil is off.
public struct RequestTimeouts: Hashable, Sendable {
    /// Over all tries, from the end of the request.
    public var global: Duration?
    public var perTry: Duration?
    public var perTryIdle: Duration?
    /// The stream's idle time-out after routing.
    public var idle: Duration?
    /// From the beginning of the stream.
    public var maxStream: Duration?
    /// A try that takes too long goes on beside the next one.
    public var hedges = false

    public init(
        global: Duration? = nil, perTry: Duration? = nil, perTryIdle: Duration? = nil, idle: Duration? = nil,
        maxStream: Duration? = nil
    ) {
        self.global = global
        self.perTry = perTry
        self.perTryIdle = perTryIdle
        self.idle = idle
        self.maxStream = maxStream
    }
}

extension RequestTimeouts {
    /// Milliseconds that the upstream of a further try is told it has; nil: no limit.
    ///
    /// - Parameter elapsed: since the request was complete.
    public func expected(after elapsed: Duration) -> UInt64? {
        // A try that goes on has until the end of all.
        guard let expected = hedges ? global ?? perTry : perTry ?? global else { return nil }
        guard let global else { return expected.wholeMilliseconds }
        // Zero would mean "for ever"; the time-out itself is about to end the request.
        return elapsed >= global ? 1 : max(1, min(expected, global - elapsed).wholeMilliseconds)
    }
}

extension ForwardAction {
    /// Time-outs of a request, with the headers by which an internal client may change them; those are consumed.
    public func timeouts(_ head: inout HTTPHead, manager: HTTPConnectionManager) -> RequestTimeouts {
        var result = RequestTimeouts(
            global: timeout, perTry: retry?.perTryTimeout, perTryIdle: retry?.perTryIdleTimeout,
            idle: idleTimeout ?? manager.timeouts.streamIdle, maxStream: maxStreamDuration ?? manager.timeouts.maxStream
        )
        result.hedges = hedgesSlowTries
        if let asked = head.value(.xEnvoyHedgeOnPerTryTimeout).map(head.text) {
            if asked == "true" { result.hedges = true } else if asked == "false" { result.hedges = false }
        }
        if let most = grpcRequestTimeoutMax, head.isGRPC {
            // Zero is "no limit" on both sides.
            var limit = Self.grpcTimeout(head) ?? .zero
            if let offset = grpcRequestTimeoutOffset, limit > offset { limit -= offset }
            if most != .zero, limit == .zero || limit > most { limit = most }
            result.global = limit
        }
        if let milliseconds = Self.number(head, .xEnvoyUpstreamRequestTimeout) {
            result.global = .milliseconds(Int64(clamping: min(milliseconds, 1 << 40)))
            head.remove(.xEnvoyUpstreamRequestTimeout)
        }
        if let milliseconds = Self.number(head, .xEnvoyUpstreamRequestPerTryTimeout) {
            result.perTry = .milliseconds(Int64(clamping: min(milliseconds, 1 << 40)))
        }
        head.remove(.xEnvoyUpstreamRequestPerTryTimeout)
        if result.global == .zero { result.global = nil }
        if result.perTry == .zero { result.perTry = nil }
        if result.perTryIdle == .zero { result.perTryIdle = nil }
        if result.idle == .zero { result.idle = nil }
        if let global = result.global, let perTry = result.perTry, perTry >= global { result.perTry = nil }
        if result.maxStream == .zero { result.maxStream = nil }
        if let most = grpcTimeoutMax, let asked = Self.grpcTimeout(head) {
            var limit = asked
            if most != .zero, limit > most { limit = most }
            if let offset = grpcTimeoutOffset { limit = limit > offset ? limit - offset : .zero }
            // Zero is no time at all here. The upstream is told what is left.
            result.maxStream = limit
            head.replace(.grpcTimeout, Self.grpcTimeoutValue(limit))
        }
        return result
    }

    /// Tells the upstream how long its answer is waited for.
    ///
    /// - Parameter elapsed: since the request was complete; zero for the first try.
    public func writeTimeouts(
        _ timeouts: RequestTimeouts, into head: inout HTTPHead, manager: HTTPConnectionManager, elapsed: Duration
    ) {
        guard let expected = timeouts.expected(after: elapsed) else { return }
        if !manager.suppressesEnvoyHeaders {
            head.replace(.xEnvoyExpectedRequestTimeout, decimal: expected)
        }
        if grpcRequestTimeoutMax != nil, head.isGRPC {
            head.replace(.grpcTimeout, Self.grpcTimeoutValue(.milliseconds(Int64(clamping: expected))))
        }
    }

    /// A duration as `grpc-timeout` has it: milliseconds, and a coarser unit for what takes more than eight digits.
    static func grpcTimeoutValue(_ time: Duration) -> [UInt8] {
        let most: UInt64 = 99_999_999
        var value = time.wholeMilliseconds
        var units = Array("mSMH".utf8)[...]
        if value > most {
            value /= 1000
            units.removeFirst()
        }
        while value > most {
            if units.count == 1 {
                value = most
                break
            }
            value /= 60
            units.removeFirst()
        }
        var out: [UInt8] = []
        out.appendDecimal(value)
        if let unit = units.first { out.append(unit) }
        return out
    }

    private static func number(_ head: HTTPHead, _ token: HeaderToken) -> UInt64? {
        head.value(token).flatMap { range in head.withBytes(range) { Decimal.unsigned($0) } }
    }

    /// `grpc-timeout`: at most eight digits and a unit of `H M S m u n`.
    public static func grpcTimeout(_ head: HTTPHead) -> Duration? {
        guard let range = head.value(.grpcTimeout) else { return nil }
        return head.withBytes(range) { bytes in
            guard bytes.count >= 2, bytes.count <= 9, let unit = bytes.last,
                let number = Decimal.unsigned(UnsafeRawBufferPointer(rebasing: bytes.dropLast()))
            else { return nil }
            let count = Int64(number)
            return switch unit {
            case UInt8(ascii: "H"): .seconds(count * 3600)
            case UInt8(ascii: "M"): .seconds(count * 60)
            case UInt8(ascii: "S"): .seconds(count)
            case UInt8(ascii: "m"): .milliseconds(count)
            // Rounded up, for nothing below is finer than a millisecond.
            case UInt8(ascii: "u"): .milliseconds((count + 999) / 1000)
            case UInt8(ascii: "n"): .milliseconds((count + 999_999) / 1_000_000)
            default: nil
            }
        }
    }
}

extension RouteTable {
    /// Turns a routed request into the one to send upstream: attempt count, time-out header, header operations, host
    /// and path rewrites, in Envoy's order. Automatic host rewrite is done when the endpoint is known.
    public func finishRequest(
        _ head: inout HTTPHead, decision: RouteDecision, forward: ForwardAction, timeouts: RequestTimeouts,
        manager: HTTPConnectionManager, facts: @autoclosure () -> StreamFacts
    ) {
        let adds = !manager.suppressesEnvoyHeaders
        if !(manager.respectsExpectedTimeout && head.contains(.xEnvoyExpectedRequestTimeout)) {
            forward.writeTimeouts(timeouts, into: &head, manager: manager, elapsed: .zero)
        }
        if decision.virtualHost?.addsAttemptCountToRequest ?? false { head.replace(.xEnvoyAttemptCount, decimal: 1) }
        if decision.changesRequestHeaders || !requestHeaders.isEmpty {
            applyRequestHeaders(decision, to: &head, facts: facts())
        }
        if let literal = decision.weighted?.hostRewrite { head.authority = head.store(literal) }
        switch forward.hostRewrite {
        case .none, .automatic: break
        case .literal(let host): forward.setHost(&head, host, keepsOriginal: adds)
        case .header(let name):
            if let value = head.value(name), !value.isEmpty {
                let bytes = head.withBytes(value) { Array($0) }
                forward.setHost(&head, bytes, keepsOriginal: adds)
            }
        case .pathRegex(let rewrite):
            let path = head.text(head.pathWithoutQuery)
            let host = rewrite.pattern.replacingAll(in: path, with: rewrite.substitution)
            if HTTPSyntax.isSafeValue(host.utf8) { forward.setHost(&head, Array(host.utf8), keepsOriginal: adds) }
        }
        if let path = decision.route.flatMap({ forward.pathRewrite.apply(to: head, match: $0.match) }) {
            if adds { head.replace(HeaderToken.xEnvoyOriginalPath.name, value: head.path) }
            head.path = head.store(path)
        }
    }
}

extension ForwardAction {
    /// Sets the authority; keeps the old one in `x-envoy-original-host` and, where asked, `x-forwarded-host`.
    public func setHost(_ head: inout HTTPHead, _ host: [UInt8], keepsOriginal: Bool) {
        guard !host.isEmpty else { return }
        let old = head.authority
        if keepsOriginal, !old.isEmpty { head.replace(HeaderToken.xEnvoyOriginalHost.name, value: old) }
        if appendsForwardedHost, !old.isEmpty {
            if let list = head.value(.xForwardedHost), !list.isEmpty {
                var joined = head.withBytes(list) { Array($0) }
                joined.append(UInt8(ascii: ","))
                head.withBytes(old) { joined.append(contentsOf: $0) }
                head.replace(.xForwardedHost, joined)
            } else {
                head.replace(HeaderToken.xForwardedHost.name, value: old)
            }
        }
        head.authority = head.store(host)
    }
}

extension ForwardAction.PathRewrite {
    /// The new `:path` with the query kept, or nil for no change.
    public func apply(to head: HTTPHead, match: RouteMatch) -> [UInt8]? {
        switch self {
        case .none: nil
        case .prefix(let replacement): PathRewriting.replacePrefix(head, match: match, with: replacement)
        case .regex(let rewrite): PathRewriting.replaceRegex(head, rewrite)
        }
    }
}

/// The rewrites that forwarding and redirecting share.
public enum PathRewriting {
    /// The part that the route matched (its prefix, or the whole path) is replaced; the rest and the query stay.
    public static func replacePrefix(_ head: HTTPHead, match: RouteMatch, with replacement: [UInt8]) -> [UInt8] {
        let path = head.pathWithoutQuery
        let matched =
            switch match.path {
            case .prefix(let prefix), .separatedPrefix(let prefix): min(prefix.count, path.count)
            case .exact, .regex, .connect: path.count
            }
        var result = replacement
        let rest = ByteRange(head.path.start &+ UInt32(truncatingIfNeeded: matched), head.path.end)
        head.withBytes(rest) { result.append(contentsOf: $0) }
        return result
    }

    /// Every match in the path is replaced; the query stays untouched.
    public static func replaceRegex(_ head: HTTPHead, _ rewrite: RegexRewrite) -> [UInt8]? {
        let path = head.pathWithoutQuery
        let replaced = rewrite.pattern.replacingAll(in: head.text(path), with: rewrite.substitution)
        guard HTTPSyntax.isSafeValue(replaced.utf8) else { return nil }
        var result = Array(replaced.utf8)
        head.withBytes(ByteRange(path.end, head.path.end)) { result.append(contentsOf: $0) }
        return result
    }
}

extension MirrorPolicy {
    /// Is this request mirrored?
    public func applies(draw: Draw, index: Int) -> Bool {
        share.contains(draw: draw.derived(Draw.Question.mirror &+ UInt64(truncatingIfNeeded: index)))
    }

    /// Changes the copy that is sent to the mirror: `-shadow` after the host, before a port.
    ///
    /// - Parameter facts: of the request, for the values of header mutations.
    public func prepare(_ copy: inout HTTPHead, facts: StreamFacts) {
        for mutation in mutations { mutation.apply(to: &copy, request: copy, response: nil, facts: facts) }
        if let hostRewrite {
            copy.authority = copy.store(hostRewrite)
            return
        }
        guard appendsShadowSuffix, !copy.authority.isEmpty else { return }
        let host = copy.withBytes(copy.authority) { bytes -> [UInt8] in
            let cut = Authority.portSeparator(bytes) ?? bytes.count
            return Array(bytes[..<cut]) + Array("-shadow".utf8) + Array(bytes[cut...])
        }
        copy.authority = copy.store(host)
    }
}

extension Duration {
    /// Rounded down, never negative.
    public var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product &+ UInt64(attoseconds / 1_000_000_000_000_000)
    }

    /// Rounded down and clamped.
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product &+ attoseconds / 1_000_000_000
    }
}
