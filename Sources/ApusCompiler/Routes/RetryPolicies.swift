internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// `retries` (semantics 4.1). Every HTTP route retries, unless its rule or the mesh says `attempts: 0`.
enum RetryPolicies {
    private static let defaultConditions =
        "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"

    /// - Parameters:
    ///   - retry: the rule's `retries`; nil means the mesh's default, else Istio's.
    ///   - isSticky: one destination with consistent hashing, which would choose another host only for the predicate.
    static func policy(_ retry: HTTPRetry?, mesh: MeshConfig, isSticky: Bool) -> XDS.RetryPolicy? {
        guard let retry = retry ?? mesh.defaultHttpRetryPolicy else {
            return isSticky ? standardSticky : standard
        }
        guard retry.attempts > 0 else { return nil }
        var policy = retry.retryIgnorePreviousHosts ?? !isSticky ? standard : standardSticky
        policy.numRetries = Google_Protobuf_UInt32Value(UInt32(clamping: retry.attempts))
        if let conditions = retry.retryOn, !conditions.isEmpty {
            let (names, codes) = split(conditions)
            policy.retryOn = names
            policy.retriableStatusCodes = codes
        }
        if let timeout = retry.perTryTimeout { policy.perTryTimeout = Google_Protobuf_Duration(timeout) }
        if retry.retryRemoteLocalities == true { policy.retryPriority = previousPriorities }
        if let backoff = retry.backoff {
            policy.retryBackOff = .with { $0.baseInterval = Google_Protobuf_Duration(backoff) }
        }
        return policy
    }

    /// Numbers in the list are status codes to retry, which Envoy wants apart.
    private static func split(_ conditions: String) -> (names: String, codes: [UInt32]) {
        var names: [String] = []
        var codes: [UInt32] = []
        for part in conditions.split(separator: ",") {
            let word = part.filter { $0 != " " }
            if let code = UInt32(word) { codes.append(code) } else if !word.isEmpty { names.append(word) }
        }
        if !codes.isEmpty, !names.contains("retriable-status-codes") { names.append("retriable-status-codes") }
        return (names.joined(separator: ","), codes)
    }

    private static let standardSticky: XDS.RetryPolicy = .with {
        $0.retryOn = defaultConditions
        $0.numRetries = Google_Protobuf_UInt32Value(2)
        $0.hostSelectionRetryMaxAttempts = 5
    }

    private static let standard: XDS.RetryPolicy = {
        var policy = standardSticky
        policy.retryHostPredicate = [
            .with {
                $0.name = "envoy.retry_host_predicates.previous_hosts"
                $0.typedConfig = .packing(
                    Envoy_Extensions_Retry_Host_PreviousHosts_V3_PreviousHostsPredicate())
            }
        ]
        return policy
    }()

    private static let previousPriorities: XDS.RetryPolicy.RetryPriority = .with {
        $0.name = "envoy.retry_priorities.previous_priorities"
        $0.typedConfig = .packing(
            Envoy_Extensions_Retry_Priority_PreviousPriorities_V3_PreviousPrioritiesConfig.with {
                $0.updateFrequency = 2
            })
    }
}
