internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// `corsPolicy` as the CORS filter's configuration for one route.
enum CORSPolicies {
    static let filterName = "envoy.filters.http.cors"

    static func config(_ policy: CORSPolicy) -> Google_Protobuf_Any {
        var config = Envoy_Extensions_Filters_Http_Cors_V3_CorsPolicy()
        config.allowOriginStringMatch = policy.allowOrigins.map(RouteMatching.string)
        config.allowMethods = policy.allowMethods.joined(separator: ",")
        config.allowHeaders = policy.allowHeaders.joined(separator: ",")
        config.exposeHeaders = policy.exposeHeaders.joined(separator: ",")
        if let age = policy.maxAge { config.maxAge = String(age.components.seconds) }
        if let allow = policy.allowCredentials { config.allowCredentials = Google_Protobuf_BoolValue(allow) }
        config.filterEnabled = .with {
            $0.defaultValue = .with {
                $0.numerator = 100
                $0.denominator = .hundred
            }
        }
        switch policy.unmatchedPreflights {
        case .ignore: config.forwardNotMatchingPreflights = Google_Protobuf_BoolValue(false)
        case .forward: config.forwardNotMatchingPreflights = Google_Protobuf_BoolValue(true)
        case .unspecified: break
        }
        return .packing(config)
    }
}
