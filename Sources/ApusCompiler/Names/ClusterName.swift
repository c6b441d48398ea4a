package import ApusCore

/// Names of clusters (Istio's forms, which dashboards and metrics know).
package enum ClusterName {
    /// Original destination, for unknown destinations under ALLOW_ANY.
    package static let passthrough = "PassthroughCluster"
    /// Any host, resolved when it is asked for: unknown hosts under ALLOW_ANY_DYNAMIC_DNS.
    package static let allowAnyDynamicDNS = "AllowAnyDynamicDNSCluster"
    /// No endpoints: what goes here is refused.
    package static let blackHole = "BlackHoleCluster"
    /// Original destination, for inbound traffic to ports without a service.
    package static let inboundPassthrough = "InboundPassthroughCluster"

    /// `outbound|8080|v1|my-app.default.svc.cluster.local`; an empty subset leaves two adjacent bars.
    package static func outbound(port: UInt32, subset: String, host: HostName) -> String {
        "outbound|\(port)|\(subset)|\(host.text)"
    }

    /// `inbound|8080||`: the workload's port, never the service's, and no host.
    package static func inbound(targetPort: UInt32) -> String { "inbound|\(targetPort)||" }

    /// `outbound_.8080_.v1_.my-app.default.svc.cluster.local`: the DNS-shaped form used as SNI.
    package static func sni(port: UInt32, subset: String, host: HostName) -> String {
        "outbound_.\(port)_.\(subset)_.\(host.text)"
    }

    /// The parts of an outbound name; nil for every other name.
    package static func outboundParts(of name: String) -> (port: UInt32, subset: String, host: HostName)? {
        let parts = name.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "outbound", let port = UInt32(parts[1]), !parts[3].isEmpty else {
            return nil
        }
        return (port, String(parts[2]), HostName(String(parts[3])))
    }
}
