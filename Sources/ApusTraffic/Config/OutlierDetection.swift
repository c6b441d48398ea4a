/// `config.cluster.v3.OutlierDetection`, with Envoy's defaults.
public struct OutlierDetectionConfig: Hashable, Sendable {
    public var consecutive5xx: UInt32 = 5
    public var interval: Duration = .seconds(10)
    public var baseEjectionTime: Duration = .seconds(30)
    public var maxEjectionTime: Duration = .seconds(300)
    public var maxEjectionTimeJitter: Duration = .zero
    public var maxEjectionPercent: UInt32 = 10
    public var enforcingConsecutive5xx: UInt32 = 100
    public var consecutiveGatewayFailure: UInt32 = 5
    public var enforcingConsecutiveGatewayFailure: UInt32 = 0
    public var splitsLocalOriginErrors = false
    public var consecutiveLocalOriginFailure: UInt32 = 5
    public var enforcingConsecutiveLocalOriginFailure: UInt32 = 100
    public var enforcingSuccessRate: UInt32 = 100
    public var enforcingLocalOriginSuccessRate: UInt32 = 100
    public var successRateMinimumHosts: UInt32 = 5
    public var successRateRequestVolume: UInt32 = 100
    /// Thousandths: 1900 is a factor of 1.9.
    public var successRateStdevFactor: UInt32 = 1900
    public var enforcingFailurePercentage: UInt32 = 0
    public var enforcingLocalOriginFailurePercentage: UInt32 = 0
    public var failurePercentageThreshold: UInt32 = 85
    public var failurePercentageMinimumHosts: UInt32 = 5
    public var failurePercentageRequestVolume: UInt32 = 50
    public var alwaysEjectsOneHost = false
    /// A passing active health check ends an ejection.
    public var unejectsOnHealthCheck = true

    public init() {}
}

/// `config.common.matcher.v3.MatchPredicate`, as far as it looks at the head of a response.
public indirect enum ResponsePredicate: Sendable {
    case any
    case not(ResponsePredicate)
    case all([ResponsePredicate])
    case some([ResponsePredicate])
    /// All of them; `:status` is among the headers.
    case headers([HeaderMatch])

    public func matches(_ head: HTTPHead) -> Bool {
        switch self {
        case .any: true
        case .not(let inner): !inner.matches(head)
        case .all(let parts): parts.allSatisfy { $0.matches(head) }
        case .some(let parts): parts.contains { $0.matches(head) }
        case .headers(let headers):
            headers.allSatisfy { header in
                header.name == Self.status ? Self.matches(header, status: head.status) : header.matches(head)
            }
        }
    }

    private static let status = HeaderName(":status")

    private static func matches(_ header: HeaderMatch, status: UInt16) -> Bool {
        switch header.test {
        case .present: return !header.inverted
        case .absent: return header.inverted
        case .string(let match):
            var text: [UInt8] = []
            text.appendDecimal(UInt64(status))
            return text.withUnsafeBytes { match.matches($0) } != header.inverted
        case .range(let from, let until):
            return (Int64(status) >= from && Int64(status) < until) != header.inverted
        }
    }
}
