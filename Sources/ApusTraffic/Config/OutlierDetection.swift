/// `config.cluster.v3.OutlierDetection`, with Envoy's defaults.
package struct OutlierDetectionConfig: Hashable, Sendable {
    package var consecutive5xx: UInt32 = 5
    package var interval: Duration = .seconds(10)
    package var baseEjectionTime: Duration = .seconds(30)
    package var maxEjectionTime: Duration = .seconds(300)
    package var maxEjectionTimeJitter: Duration = .zero
    package var maxEjectionPercent: UInt32 = 10
    package var enforcingConsecutive5xx: UInt32 = 100
    package var consecutiveGatewayFailure: UInt32 = 5
    package var enforcingConsecutiveGatewayFailure: UInt32 = 0
    package var splitsLocalOriginErrors = false
    package var consecutiveLocalOriginFailure: UInt32 = 5
    package var enforcingConsecutiveLocalOriginFailure: UInt32 = 100
    package var enforcingSuccessRate: UInt32 = 100
    package var enforcingLocalOriginSuccessRate: UInt32 = 100
    package var successRateMinimumHosts: UInt32 = 5
    package var successRateRequestVolume: UInt32 = 100
    /// Thousandths: 1900 is a factor of 1.9.
    package var successRateStdevFactor: UInt32 = 1900
    package var enforcingFailurePercentage: UInt32 = 0
    package var enforcingLocalOriginFailurePercentage: UInt32 = 0
    package var failurePercentageThreshold: UInt32 = 85
    package var failurePercentageMinimumHosts: UInt32 = 5
    package var failurePercentageRequestVolume: UInt32 = 50
    package var alwaysEjectsOneHost = false
    /// A passing active health check ends an ejection.
    package var unejectsOnHealthCheck = true

    package init() {}
}

/// `config.common.matcher.v3.MatchPredicate`, as far as it looks at the head of a response.
package indirect enum ResponsePredicate: Sendable {
    case any
    case not(ResponsePredicate)
    case all([ResponsePredicate])
    case some([ResponsePredicate])
    /// All of them; `:status` is among the headers.
    case headers([HeaderMatch])

    package func matches(_ head: HTTPHead) -> Bool {
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
