internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// Passive health checking (semantics 4.2, `outlierDetection`).
enum ClusterOutlierDetection {
    /// Also sets the panic threshold: endpoints known to be unhealthy are sent to the proxy, so traffic must never be
    /// spread over all of them unless the rule says from which share on.
    static func apply(_ settings: OutlierDetectionSettings?, to cluster: inout XDS.Cluster) {
        cluster.commonLbConfig.healthyPanicThreshold = Envoy_Type_V3_Percent(
            Double(max(0, min(100, settings?.minHealthPercent ?? 0))))
        guard let settings else { return }
        cluster.outlierDetection = .with {
            $0.enforcingSuccessRate = Google_Protobuf_UInt32Value(0)
            if let errors = settings.consecutive5xxErrors {
                // 0 turns the detector off: it may still count, but nothing is ejected.
                $0.consecutive5Xx = Google_Protobuf_UInt32Value(errors)
                $0.enforcingConsecutive5Xx = Google_Protobuf_UInt32Value(errors > 0 ? 100 : 0)
            }
            if let errors = settings.consecutiveGatewayErrors ?? positive(settings.consecutiveErrors) {
                $0.consecutiveGatewayFailure = Google_Protobuf_UInt32Value(errors)
                $0.enforcingConsecutiveGatewayFailure = Google_Protobuf_UInt32Value(errors > 0 ? 100 : 0)
            }
            if settings.splitExternalLocalOriginErrors {
                $0.splitExternalLocalOriginErrors = true
                if let errors = settings.consecutiveLocalOriginFailures {
                    $0.consecutiveLocalOriginFailure = Google_Protobuf_UInt32Value(errors)
                    $0.enforcingConsecutiveLocalOriginFailure = Google_Protobuf_UInt32Value(errors > 0 ? 100 : 0)
                }
                // Success-rate ejection stays off for local errors too.
                $0.enforcingLocalOriginSuccessRate = Google_Protobuf_UInt32Value(0)
            }
            if let interval = settings.interval { $0.interval = Google_Protobuf_Duration(interval) }
            if let base = settings.baseEjectionTime { $0.baseEjectionTime = Google_Protobuf_Duration(base) }
            if let percent = positive(settings.maxEjectionPercent) {
                $0.maxEjectionPercent = Google_Protobuf_UInt32Value(percent)
            }
        }
    }
}
