internal import ApusCore
internal import ApusModel

/// What is read and checked but has no effect in this version, each with a warning.
///
/// One table: a feature that becomes effective loses its row here and nothing else.
enum NotEnforced {
    /// Kinds without effect, and what that means for their author.
    static let kinds: [(kind: Kind, consequence: String)] = [
        (.peerAuthentication, "mutual TLS is NOT being required or refused by it"),
        (.requestAuthentication, "tokens are NOT being checked by it"),
        (.authorizationPolicy, "requests are NOT being restricted by it"),
        (.envoyFilter, "its patches are not applied"),
        (.telemetry, "metrics, traces and access logs are not changed by it"),
        (.proxyConfig, "proxies are not configured by it"),
    ]

    /// Gateway servers that end TLS.
    static let serverTLSModes: [ServerTLSSettings.Mode] = [.simple, .mutual, .optionalMutual, .istioMutual]

    /// Client TLS of DestinationRules.
    static let clientTLSModes: [ClientTLSSettings.Mode] = [.istioMutual]

    static let resolutions: [ServiceEntry.Resolution] = [.dynamicDNS]

    static func findings(_ object: ConfigObject) -> [Finding] {
        var result: [Finding] = []
        func note(_ path: String, _ message: String) {
            result.append(
                Finding(
                    .warning, FindingCode.notEnforced, message, at: object.origin.location(of: path),
                    object: object.key.description, field: path))
        }
        if let row = kinds.first(where: { $0.kind == object.key.kind }) {
            note("kind", "\(row.kind.rawValue) is understood but not yet enforced: \(row.consequence)")
        }
        switch object.spec {
        case .gateway(let spec):
            for (index, server) in spec.servers.enumerated() {
                guard let tls = server.tls, serverTLSModes.contains(tls.mode) else { continue }
                note(
                    "spec.servers[\(index)].tls.mode",
                    "TLS mode \(tls.mode.rawValue) is understood but not yet enforced: the server is not opened")
            }
        case .destinationRule(let spec):
            func policy(_ tls: ClientTLSSettings?, _ path: String) {
                guard let tls, clientTLSModes.contains(tls.mode) else { return }
                note(
                    path + ".tls.mode",
                    "TLS mode \(tls.mode.rawValue) is understood but not yet enforced: connections are not encrypted")
            }
            policy(spec.trafficPolicy?.tls, "spec.trafficPolicy")
            for (index, entry) in (spec.trafficPolicy?.portLevelSettings ?? []).enumerated() {
                policy(entry.tls, "spec.trafficPolicy.portLevelSettings[\(index)]")
            }
            for (index, subset) in spec.subsets.enumerated() {
                policy(subset.trafficPolicy?.tls, "spec.subsets[\(index)].trafficPolicy")
                for (port, entry) in (subset.trafficPolicy?.portLevelSettings ?? []).enumerated() {
                    policy(entry.tls, "spec.subsets[\(index)].trafficPolicy.portLevelSettings[\(port)]")
                }
            }
        case .serviceEntry(let spec):
            if resolutions.contains(spec.resolution) {
                note(
                    "spec.resolution",
                    "resolution \(spec.resolution.rawValue) is understood but not yet enforced: the hosts get no cluster"
                )
            }
        default:
            break
        }
        return result
    }
}
