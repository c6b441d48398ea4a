internal import ApusAPI
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// The route's half of `consistentHash`: what of a request is hashed.
enum HashPolicies {
    static func policy(_ hash: ConsistentHash?) -> XDS.HashPolicy? {
        guard let hash, let key = hash.key else { return nil }
        var policy = XDS.HashPolicy()
        switch key {
        case .httpHeaderName(let name):
            policy.header = .with { $0.headerName = name }
        case .httpCookie(let cookie):
            policy.cookie = .with {
                $0.name = cookie.name
                $0.path = cookie.path ?? ""
                // With a lifetime, even zero, a missing cookie is made; without one it is only read.
                if let ttl = cookie.ttl { $0.ttl = Google_Protobuf_Duration(ttl) }
                $0.attributes = cookie.attributes.map { attribute in
                    .with {
                        $0.name = attribute.name
                        $0.value = attribute.value
                    }
                }
            }
        case .useSourceIp(let use):
            guard use else { return nil }
            policy.connectionProperties = .with { $0.sourceIp = true }
        case .httpQueryParameterName(let name):
            policy.queryParameter = .with { $0.name = name }
        }
        return policy
    }
}
