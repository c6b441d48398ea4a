/// What the operators of a format read besides the heads. Text fields are ready to print; empty means missing.
///
/// One value per stream, filled as things happen.
public struct StreamFacts: Sendable {
    /// Microseconds since the epoch.
    public var startTime: Int64 = 0
    /// Microseconds from `startTime`; nil: not reached.
    public var requestCompleted: Int64?
    public var firstUpstreamResponseByte: Int64?
    public var lastDownstreamByte: Int64?
    public var responseCode: UInt16 = 0
    public var flags: ResponseFlags = []
    public var responseCodeDetails = ""
    public var connectionTerminationDetails = ""
    public var upstreamTransportFailureReason = ""
    public var bytesReceived: UInt64 = 0
    public var bytesSent: UInt64 = 0
    public var upstreamWireBytesSent: UInt64 = 0
    public var upstreamWireBytesReceived: UInt64 = 0
    public var downstreamWireBytesSent: UInt64 = 0
    public var downstreamWireBytesReceived: UInt64 = 0
    /// nil for a raw connection.
    public var `protocol`: HTTPVersion?
    public var upstreamHost = ""
    public var upstreamCluster = ""
    public var upstreamLocalAddress = ""
    public var upstreamRequestAttempts: UInt32 = 0
    public var downstreamLocalAddress = ""
    public var downstreamRemoteAddress = ""
    public var downstreamDirectRemoteAddress = ""
    public var requestedServerName = ""
    public var routeName = ""
    public var virtualHostName = ""
    public var connectionID: UInt64 = 0
    public var streamID = ""
    public var hostname = ""
    /// nil: the client does not speak TLS.
    public var tls: ConnectionTLS?
    public var downstreamTransportFailureReason = ""
    public var localReplyBody: [UInt8] = []
    /// The request is a probe of the proxy's own health.
    public var isHealthCheck = false

    public init() {}

    /// Forgets a request; what its connection is stays. What is empty already is not touched: most requests are alike.
    public mutating func beginRequest() {
        requestCompleted = nil
        firstUpstreamResponseByte = nil
        lastDownstreamByte = nil
        responseCode = 0
        flags = []
        bytesReceived = 0
        bytesSent = 0
        upstreamWireBytesSent = 0
        upstreamWireBytesReceived = 0
        downstreamWireBytesSent = 0
        downstreamWireBytesReceived = 0
        upstreamRequestAttempts = 0
        isHealthCheck = false
        responseCodeDetails = ""
        if !connectionTerminationDetails.isEmpty { connectionTerminationDetails = "" }
        if !upstreamTransportFailureReason.isEmpty { upstreamTransportFailureReason = "" }
        upstreamHost = ""
        upstreamCluster = ""
        upstreamLocalAddress = ""
        routeName = ""
        virtualHostName = ""
        if !streamID.isEmpty { streamID = "" }
        if !downstreamTransportFailureReason.isEmpty { downstreamTransportFailureReason = "" }
        if !localReplyBody.isEmpty { localReplyBody = [] }
    }
}

extension FormatString {
    /// Appends the text. Missing values print `-`, or nothing with `omitsEmpty` or in header values.
    ///
    /// - Parameter missing: what a missing value prints.
    public func write(
        into out: inout [UInt8], request: HTTPHead?, response: HTTPHead?, trailers: HTTPHead? = nil,
        facts: StreamFacts, missing: StaticString = "-"
    ) {
        for segment in segments {
            switch segment {
            case .literal(let bytes): out.append(contentsOf: bytes)
            case .value(let value):
                let before = out.count
                value.write(into: &out, request: request, response: response, trailers: trailers, facts: facts)
                if out.count == before, !omitsEmpty { out.append(missing) }
            }
        }
    }
}

extension FormatOperator {
    /// Appends the value; appends nothing if it is missing.
    public func write(
        into out: inout [UInt8], request: HTTPHead?, response: HTTPHead?, trailers: HTTPHead?, facts: StreamFacts
    ) {
        switch self {
        case .startTime(let format): TimeFormat.write(microseconds: facts.startTime, format: format, into: &out)
        case .request(let name, let alternative, let limit):
            Self.header(request, name, alternative, limit, &out)
        case .response(let name, let alternative, let limit):
            if name.token == .status {
                if facts.responseCode != 0 { out.appendDecimal(UInt64(facts.responseCode)) }
            } else {
                Self.header(response, name, alternative, limit, &out)
            }
        case .trailer(let name, let alternative, let limit):
            Self.header(trailers, name, alternative, limit, &out)
        case .protocol: if let version = facts.protocol { out.append(version.text) }
        case .responseCode: out.appendDecimal(UInt64(facts.responseCode))
        case .responseFlags: facts.flags.write(into: &out)
        case .responseFlagsLong: facts.flags.write(into: &out, long: true)
        case .responseCodeDetails: Self.word(facts.responseCodeDetails, &out)
        case .connectionTerminationDetails: Self.word(facts.connectionTerminationDetails, &out)
        case .upstreamTransportFailureReason: Self.word(facts.upstreamTransportFailureReason, &out)
        case .bytesReceived: out.appendDecimal(facts.bytesReceived)
        case .bytesSent: out.appendDecimal(facts.bytesSent)
        case .upstreamWireBytesSent: out.appendDecimal(facts.upstreamWireBytesSent)
        case .upstreamWireBytesReceived: out.appendDecimal(facts.upstreamWireBytesReceived)
        case .downstreamWireBytesSent: out.appendDecimal(facts.downstreamWireBytesSent)
        case .downstreamWireBytesReceived: out.appendDecimal(facts.downstreamWireBytesReceived)
        case .duration: Self.milliseconds(facts.lastDownstreamByte, &out)
        case .requestDuration: Self.milliseconds(facts.requestCompleted, &out)
        case .responseDuration: Self.milliseconds(facts.firstUpstreamResponseByte, &out)
        case .responseTXDuration:
            if let first = facts.firstUpstreamResponseByte, let last = facts.lastDownstreamByte {
                Self.milliseconds(last &- first, &out)
            }
        case .upstreamHost, .upstreamRemoteAddress: out.append(contentsOf: facts.upstreamHost.utf8)
        case .upstreamCluster, .upstreamClusterRaw: out.append(contentsOf: facts.upstreamCluster.utf8)
        case .upstreamLocalAddress: out.append(contentsOf: facts.upstreamLocalAddress.utf8)
        case .upstreamLocalAddressWithoutPort: Self.host(facts.upstreamLocalAddress, &out)
        case .upstreamLocalPort: Self.port(facts.upstreamLocalAddress, &out)
        case .upstreamRemoteAddressWithoutPort: Self.host(facts.upstreamHost, &out)
        case .upstreamRemotePort: Self.port(facts.upstreamHost, &out)
        case .upstreamRequestAttemptCount: out.appendDecimal(UInt64(facts.upstreamRequestAttempts))
        case .downstreamLocalAddress: out.append(contentsOf: facts.downstreamLocalAddress.utf8)
        case .downstreamLocalAddressWithoutPort: Self.host(facts.downstreamLocalAddress, &out)
        case .downstreamLocalPort: Self.port(facts.downstreamLocalAddress, &out)
        case .downstreamRemoteAddress: out.append(contentsOf: facts.downstreamRemoteAddress.utf8)
        case .downstreamRemoteAddressWithoutPort: Self.host(facts.downstreamRemoteAddress, &out)
        case .downstreamRemotePort: Self.port(facts.downstreamRemoteAddress, &out)
        case .downstreamDirectRemoteAddress: out.append(contentsOf: facts.downstreamDirectRemoteAddress.utf8)
        case .downstreamDirectRemoteAddressWithoutPort: Self.host(facts.downstreamDirectRemoteAddress, &out)
        case .requestedServerName: out.append(contentsOf: facts.requestedServerName.utf8)
        case .routeName: out.append(contentsOf: facts.routeName.utf8)
        case .virtualHostName: out.append(contentsOf: facts.virtualHostName.utf8)
        case .connectionID: out.appendDecimal(facts.connectionID)
        case .streamID: out.append(contentsOf: facts.streamID.utf8)
        case .hostname: out.append(contentsOf: facts.hostname.utf8)
        case .downstreamPeerURISAN: Self.list(facts.tls?.peerURIs, &out)
        case .downstreamPeerDNSSAN: Self.list(facts.tls?.peerDNSNames, &out)
        case .downstreamPeerSubject: Self.text(facts.tls?.peerSubject, &out)
        case .downstreamPeerIssuer: Self.text(facts.tls?.peerIssuer, &out)
        case .downstreamPeerSerial: Self.text(facts.tls?.peerSerial, &out)
        case .downstreamPeerFingerprint256: Self.text(facts.tls?.peerSHA256, &out)
        case .downstreamPeerCertificate: Self.text(facts.tls?.peerPEM, &out)
        case .downstreamPeerStart: Self.instant(facts.tls?.peerValidFrom, &out)
        case .downstreamPeerEnd: Self.instant(facts.tls?.peerValidUntil, &out)
        case .downstreamTLSVersion: Self.text(facts.tls?.version, &out)
        case .downstreamLocalURISAN: Self.list(facts.tls?.localURIs, &out)
        case .downstreamTransportFailureReason: Self.word(facts.downstreamTransportFailureReason, &out)
        case .localReplyBody: out.append(contentsOf: facts.localReplyBody)
        case .dynamicMetadata, .filterState: break
        }
    }

    /// True for operators whose JSON value is a number.
    public var isNumber: Bool {
        switch self {
        case .responseCode, .bytesReceived, .bytesSent, .duration, .requestDuration, .responseDuration,
            .responseTXDuration, .upstreamWireBytesSent, .upstreamWireBytesReceived, .downstreamWireBytesSent,
            .downstreamWireBytesReceived, .connectionID, .upstreamRequestAttemptCount, .upstreamLocalPort,
            .upstreamRemotePort, .downstreamLocalPort, .downstreamRemotePort:
            true
        default: false
        }
    }

    private static func header(
        _ head: HTTPHead?, _ name: HeaderName, _ alternative: HeaderName?, _ limit: Int?, _ out: inout [UInt8]
    ) {
        guard let head else { return }
        guard let value = head.value(name) ?? alternative.flatMap({ head.value($0) }) else { return }
        head.withBytes(value) { bytes in
            out.append(contentsOf: limit.map { bytes.prefix($0) } ?? bytes[...])
        }
    }

    /// Details are one word: spaces become `_`, as Envoy prints them.
    private static func word(_ text: String, _ out: inout [UInt8]) {
        for byte in text.utf8 { out.append(byte == 0x20 ? UInt8(ascii: "_") : byte) }
    }

    private static func milliseconds(_ microseconds: Int64?, _ out: inout [UInt8]) {
        guard let microseconds else { return }
        out.appendDecimal(UInt64(max(0, microseconds) / 1000))
    }

    private static func host(_ address: String, _ out: inout [UInt8]) {
        var address = address
        address.withUTF8 { bytes in
            var host = Authority.withoutPort(UnsafeRawBufferPointer(bytes))
            if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
                host = UnsafeRawBufferPointer(rebasing: host.dropFirst().dropLast())
            }
            out.append(contentsOf: host)
        }
    }

    private static func port(_ address: String, _ out: inout [UInt8]) {
        var address = address
        address.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            if let separator = Authority.portSeparator(bytes) { out.append(contentsOf: bytes[(separator + 1)...]) }
        }
    }
}

/// Civil time from microseconds since the epoch, in UTC.
public enum TimeFormat {
    /// Year, month, day by Howard Hinnant's day count arithmetic.
    public static func civil(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let monthIndex = (5 &* dayOfYear &+ 2) / 153
        let month = monthIndex < 10 ? monthIndex &+ 3 : monthIndex &- 9
        return (
            yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0), month, dayOfYear &- (153 &* monthIndex &+ 2) / 5 &+ 1
        )
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func divide(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
        var quotient = value / by
        var rest = value % by
        if rest < 0 {
            quotient &-= 1
            rest &+= by
        }
        return (quotient, rest)
    }

    private static func padded(_ number: Int64, _ width: Int, _ out: inout [UInt8]) {
        let text = String(number)
        for _ in 0..<max(0, width - text.utf8.count) { out.append(0x30) }
        out.append(contentsOf: text.utf8)
    }

    /// - Parameter format: nil is `%Y-%m-%dT%H:%M:%S.%3fZ`. Directives: `Y m d H M S e F T z Z s a b B j f 3f 6f 9f %`,
    ///   and `%s.%3f` style epochs; an unknown directive is copied.
    public static func write(microseconds: Int64, format: String?, into out: inout [UInt8]) {
        let (seconds, micros) = divide(microseconds, 1_000_000)
        let (day, second) = divide(seconds, 86_400)
        let date = civil(day: day)
        var rest = Array((format ?? "%Y-%m-%dT%H:%M:%S.%3fZ").utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), let directive = rest.popFirst() else {
                out.append(byte)
                continue
            }
            switch directive {
            case UInt8(ascii: "Y"): padded(date.year, 4, &out)
            case UInt8(ascii: "m"): padded(date.month, 2, &out)
            case UInt8(ascii: "d"): padded(date.day, 2, &out)
            case UInt8(ascii: "e"):
                if date.day < 10 { out.append(0x20) }
                padded(date.day, 1, &out)
            case UInt8(ascii: "H"): padded(second / 3600, 2, &out)
            case UInt8(ascii: "M"): padded(second / 60 % 60, 2, &out)
            case UInt8(ascii: "S"): padded(second % 60, 2, &out)
            case UInt8(ascii: "F"): write(microseconds: microseconds, format: "%Y-%m-%d", into: &out)
            case UInt8(ascii: "T"): write(microseconds: microseconds, format: "%H:%M:%S", into: &out)
            case UInt8(ascii: "z"): out.append("+0000")
            case UInt8(ascii: "Z"): out.append("UTC")
            case UInt8(ascii: "s"): padded(seconds, 1, &out)
            case UInt8(ascii: "a"): out.append(contentsOf: weekdays[Int(divide(day &+ 4, 7).1)].utf8)
            case UInt8(ascii: "b"): out.append(contentsOf: months[Int(date.month) &- 1].utf8)
            case UInt8(ascii: "f"): padded(micros &* 1000, 9, &out)
            case UInt8(ascii: "1")...UInt8(ascii: "9") where rest.first == UInt8(ascii: "f"):
                rest.removeFirst()
                var nanos = micros &* 1000
                let width = Int(directive &- 0x30)
                for _ in width..<9 { nanos /= 10 }
                padded(nanos, width, &out)
            case UInt8(ascii: "%"): out.append(directive)
            default: out.append(contentsOf: [byte, directive])
            }
        }
    }

    /// The `date` header of RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static func httpDate(seconds: Int64) -> [UInt8] {
        var out: [UInt8] = []
        write(microseconds: seconds &* 1_000_000, format: "%a, %d %b %Y %H:%M:%S GMT", into: &out)
        return out
    }
}

// What a handshake told.
extension FormatOperator {
    private static func text(_ value: String?, _ out: inout [UInt8]) {
        if let value { out.append(contentsOf: value.utf8) }
    }

    private static func list(_ values: [String]?, _ out: inout [UInt8]) {
        if let values { out.append(contentsOf: values.joined(separator: ",").utf8) }
    }

    private static func instant(_ seconds: Int64?, _ out: inout [UInt8]) {
        guard let seconds, seconds != 0 else { return }
        TimeFormat.write(microseconds: seconds * 1_000_000, format: nil, into: &out)
    }
}
