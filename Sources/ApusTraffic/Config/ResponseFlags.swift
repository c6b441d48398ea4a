/// Envoy's response flags: what went wrong with a request or connection, for logs and metrics.
package struct ResponseFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let failedLocalHealthCheck = ResponseFlags(rawValue: 1 << 0)
    package static let noHealthyUpstream = ResponseFlags(rawValue: 1 << 1)
    package static let upstreamRequestTimeout = ResponseFlags(rawValue: 1 << 2)
    package static let localReset = ResponseFlags(rawValue: 1 << 3)
    package static let upstreamRemoteReset = ResponseFlags(rawValue: 1 << 4)
    package static let upstreamConnectionFailure = ResponseFlags(rawValue: 1 << 5)
    package static let upstreamConnectionTermination = ResponseFlags(rawValue: 1 << 6)
    package static let upstreamOverflow = ResponseFlags(rawValue: 1 << 7)
    package static let noRouteFound = ResponseFlags(rawValue: 1 << 8)
    package static let delayInjected = ResponseFlags(rawValue: 1 << 9)
    package static let faultInjected = ResponseFlags(rawValue: 1 << 10)
    package static let rateLimited = ResponseFlags(rawValue: 1 << 11)
    package static let unauthorizedExternalService = ResponseFlags(rawValue: 1 << 12)
    package static let rateLimitServiceError = ResponseFlags(rawValue: 1 << 13)
    package static let downstreamConnectionTermination = ResponseFlags(rawValue: 1 << 14)
    package static let upstreamRetryLimitExceeded = ResponseFlags(rawValue: 1 << 15)
    package static let streamIdleTimeout = ResponseFlags(rawValue: 1 << 16)
    package static let invalidEnvoyRequestHeaders = ResponseFlags(rawValue: 1 << 17)
    package static let downstreamProtocolError = ResponseFlags(rawValue: 1 << 18)
    package static let upstreamMaxStreamDurationReached = ResponseFlags(rawValue: 1 << 19)
    package static let responseFromCacheFilter = ResponseFlags(rawValue: 1 << 20)
    package static let noFilterConfigFound = ResponseFlags(rawValue: 1 << 21)
    package static let durationTimeout = ResponseFlags(rawValue: 1 << 22)
    package static let upstreamProtocolError = ResponseFlags(rawValue: 1 << 23)
    package static let noClusterFound = ResponseFlags(rawValue: 1 << 24)
    package static let overloadManager = ResponseFlags(rawValue: 1 << 25)
    package static let dnsResolutionFailed = ResponseFlags(rawValue: 1 << 26)
    package static let dropOverload = ResponseFlags(rawValue: 1 << 27)
    package static let downstreamRemoteReset = ResponseFlags(rawValue: 1 << 28)
    package static let unconditionalDropOverload = ResponseFlags(rawValue: 1 << 29)

    /// Short and long names by bit, in Envoy's order.
    package static let names: [(short: String, long: String)] = [
        ("LH", "FailedLocalHealthCheck"), ("UH", "NoHealthyUpstream"), ("UT", "UpstreamRequestTimeout"),
        ("LR", "LocalReset"), ("UR", "UpstreamRemoteReset"), ("UF", "UpstreamConnectionFailure"),
        ("UC", "UpstreamConnectionTermination"), ("UO", "UpstreamOverflow"), ("NR", "NoRouteFound"),
        ("DI", "DelayInjected"), ("FI", "FaultInjected"), ("RL", "RateLimited"),
        ("UAEX", "UnauthorizedExternalService"), ("RLSE", "RateLimitServiceError"),
        ("DC", "DownstreamConnectionTermination"), ("URX", "UpstreamRetryLimitExceeded"),
        ("SI", "StreamIdleTimeout"), ("IH", "InvalidEnvoyRequestHeaders"), ("DPE", "DownstreamProtocolError"),
        ("UMSDR", "UpstreamMaxStreamDurationReached"), ("RFCF", "ResponseFromCacheFilter"),
        ("NFCF", "NoFilterConfigFound"), ("DT", "DurationTimeout"), ("UPE", "UpstreamProtocolError"),
        ("NC", "NoClusterFound"), ("OM", "OverloadManagerTerminated"), ("DF", "DnsResolutionFailed"),
        ("DO", "DropOverload"), ("DR", "DownstreamRemoteReset"), ("UDO", "UnconditionalDropOverload"),
    ]

    package init?(shortName: String) {
        guard let bit = Self.names.firstIndex(where: { $0.short == shortName }) else { return nil }
        self.init(rawValue: 1 << UInt32(bit))
    }

    /// `UF,URX`, or `-`.
    package func write(into out: inout [UInt8], long: Bool = false) {
        if isEmpty { return out.append(UInt8(ascii: "-")) }
        var first = true
        for bit in 0..<Self.names.count where rawValue & (1 << UInt32(bit)) != 0 {
            if !first { out.append(UInt8(ascii: ",")) }
            first = false
            out.append(contentsOf: (long ? Self.names[bit].long : Self.names[bit].short).utf8)
        }
    }

    package var text: String {
        var out: [UInt8] = []
        write(into: &out)
        return String(decoding: out, as: UTF8.self)
    }
}
