internal import ApusAPI
internal import SwiftProtobuf

extension OutlierDetectionConfig {
    init(_ message: Envoy_Config_Cluster_V3_OutlierDetection) throws(Refusal) {
        self.init()
        func number(_ has: Bool, _ value: Google_Protobuf_UInt32Value, _ target: inout UInt32) {
            if has { target = value.value }
        }
        func percent(
            _ field: String, _ has: Bool, _ value: Google_Protobuf_UInt32Value, _ target: inout UInt32
        ) throws(Refusal) {
            guard has else { return }
            guard value.value <= 100 else { throw Refusal(field, "greater than 100") }
            target = value.value
        }
        func time(
            _ field: String, _ has: Bool, _ value: Google_Protobuf_Duration, _ target: inout Duration
        ) throws(Refusal) {
            if has { target = try at(field) { () throws(Refusal) in try value.positive() } }
        }
        number(message.hasConsecutive5Xx, message.consecutive5Xx, &consecutive5xx)
        try time("interval", message.hasInterval, message.interval, &interval)
        try time("base_ejection_time", message.hasBaseEjectionTime, message.baseEjectionTime, &baseEjectionTime)
        if message.hasMaxEjectionTime {
            try time("max_ejection_time", true, message.maxEjectionTime, &maxEjectionTime)
        }
        if message.hasMaxEjectionTimeJitter {
            maxEjectionTimeJitter = try at("max_ejection_time_jitter") { () throws(Refusal) in
                try message.maxEjectionTimeJitter.value()
            }
        }
        try percent(
            "max_ejection_percent", message.hasMaxEjectionPercent, message.maxEjectionPercent, &maxEjectionPercent)
        try percent(
            "enforcing_consecutive_5xx", message.hasEnforcingConsecutive5Xx, message.enforcingConsecutive5Xx,
            &enforcingConsecutive5xx)
        try percent(
            "enforcing_success_rate", message.hasEnforcingSuccessRate, message.enforcingSuccessRate,
            &enforcingSuccessRate)
        number(message.hasSuccessRateMinimumHosts, message.successRateMinimumHosts, &successRateMinimumHosts)
        number(message.hasSuccessRateRequestVolume, message.successRateRequestVolume, &successRateRequestVolume)
        number(message.hasSuccessRateStdevFactor, message.successRateStdevFactor, &successRateStdevFactor)
        number(
            message.hasConsecutiveGatewayFailure, message.consecutiveGatewayFailure, &consecutiveGatewayFailure)
        try percent(
            "enforcing_consecutive_gateway_failure", message.hasEnforcingConsecutiveGatewayFailure,
            message.enforcingConsecutiveGatewayFailure, &enforcingConsecutiveGatewayFailure)
        splitsLocalOriginErrors = message.splitExternalLocalOriginErrors
        number(
            message.hasConsecutiveLocalOriginFailure, message.consecutiveLocalOriginFailure,
            &consecutiveLocalOriginFailure)
        try percent(
            "enforcing_consecutive_local_origin_failure", message.hasEnforcingConsecutiveLocalOriginFailure,
            message.enforcingConsecutiveLocalOriginFailure, &enforcingConsecutiveLocalOriginFailure)
        try percent(
            "failure_percentage_threshold", message.hasFailurePercentageThreshold, message.failurePercentageThreshold,
            &failurePercentageThreshold)
        try percent(
            "enforcing_failure_percentage", message.hasEnforcingFailurePercentage, message.enforcingFailurePercentage,
            &enforcingFailurePercentage)
        number(
            message.hasFailurePercentageMinimumHosts, message.failurePercentageMinimumHosts,
            &failurePercentageMinimumHosts)
        number(
            message.hasFailurePercentageRequestVolume, message.failurePercentageRequestVolume,
            &failurePercentageRequestVolume)
        alwaysEjectsOneHost = message.alwaysEjectOneHost.value
        try percent(
            "enforcing_local_origin_success_rate", message.hasEnforcingLocalOriginSuccessRate,
            message.enforcingLocalOriginSuccessRate, &enforcingLocalOriginSuccessRate)
        try percent(
            "enforcing_failure_percentage_local_origin", message.hasEnforcingFailurePercentageLocalOrigin,
            message.enforcingFailurePercentageLocalOrigin, &enforcingLocalOriginFailurePercentage)
        if message.hasSuccessfulActiveHealthCheckUnejectHost {
            unejectsOnHealthCheck = message.successfulActiveHealthCheckUnejectHost.value
        }
    }
}

extension ResponsePredicate {
    init(_ message: Envoy_Config_Common_Matcher_V3_MatchPredicate) throws(Refusal) {
        func parts(
            _ field: String, _ set: Envoy_Config_Common_Matcher_V3_MatchPredicate.MatchSet
        ) throws(Refusal) -> [ResponsePredicate] {
            guard set.rules.count >= 2 else { throw Refusal("\(field).rules", "fewer than two") }
            return try each("\(field).rules", set.rules) { rule throws(Refusal) in try ResponsePredicate(rule) }
        }
        switch message.rule {
        case .orMatch(let set): self = .some(try parts("or_match", set))
        case .andMatch(let set): self = .all(try parts("and_match", set))
        case .notMatch(let inner):
            self = .not(try at("not_match") { () throws(Refusal) in try ResponsePredicate(inner) })
        case .anyMatch: self = .any
        case .httpResponseHeadersMatch(let match):
            self = .headers(
                try each("http_response_headers_match.headers", match.headers) { header throws(Refusal) in
                    try HeaderMatch(header)
                })
        default: throw Refusal.unsupported("", "a predicate over anything but the head of the response")
        }
    }
}
