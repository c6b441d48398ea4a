internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

extension TunnelSettings {
    /// How a TCP proxy wraps its connections to the cluster in HTTP (`tunnel` of a DestinationRule).
    var tunnelingConfig: Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.TunnelingConfig {
        .with {
            let host = targetHost.utf8.contains(UInt8(ascii: ":")) ? "[\(targetHost)]" : targetHost
            $0.hostname = "\(host):\(targetPort)"
            $0.usePost = self.protocol == "POST"
        }
    }
}
