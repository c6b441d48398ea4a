internal import ApusAPI
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// The HTTP side of a cluster: protocol, idle timeouts, and the name shown to a TLS server.
struct UpstreamHTTP {
    static let extensionName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

    let isHTTP2: Bool
    /// False: the server's certificate may be for another name than the request's host, or for none.
    let checksNames: Bool
    /// nil: Envoy's defaults are right, which is HTTP/1.1.
    let encoded: Google_Protobuf_Any?

    static func options(_ target: ClusterTarget, _ context: CompileContext) -> UpstreamHTTP {
        let pool = target.policy.connectionPool
        var options = XDS.HTTPProtocolOptions()
        let isHTTP2 = speaksHTTP2(target, context.snapshot.meshConfig)
        let asDownstream =
            pool?.http?.useClientProtocol == true
            || (target.port.protocol == .auto && !isHTTP2 && !context.isRouter && !context.isProxyless)
        let http2 = http2Options(pool?.http)
        if asDownstream {
            options.useDownstreamProtocolConfig = .with {
                $0.httpProtocolOptions = Envoy_Config_Core_V3_Http1ProtocolOptions()
                $0.http2ProtocolOptions = http2
            }
        } else {
            options.explicitHTTPConfig = .with {
                if isHTTP2 {
                    $0.http2ProtocolOptions = http2
                } else {
                    $0.httpProtocolOptions = Envoy_Config_Core_V3_Http1ProtocolOptions()
                }
            }
        }
        let common = commonOptions(pool)
        if let common { options.commonHTTPProtocolOptions = common }
        let isDynamic = DynamicForwardProxy.serves(target.service, target.port, context)
        let names =
            isDynamic
            ? ClusterTLS.namesOfDynamicHosts(target.policy.tls) : ClusterTLS.serverNameOptions(target.policy.tls)
        if let names { options.upstreamHTTPProtocolOptions = names }
        let errors = OutlierErrors.matcher(target.policy.outlierDetection)
        if let errors, !context.isProxyless { options.outlierDetection = .with { $0.errorMatcher = errors } }
        let isDefault = !asDownstream && !isHTTP2 && common == nil && names == nil && !options.hasOutlierDetection
        return UpstreamHTTP(
            isHTTP2: isHTTP2, checksNames: names?.autoSanValidation ?? true,
            encoded: isDefault ? nil : .packing(options))
    }

    /// Unknown destinations: the client's protocol, idle connections closed after five minutes.
    static let asDownstream: XDS.HTTPProtocolOptions = .with {
        $0.commonHTTPProtocolOptions = .with { $0.idleTimeout = Google_Protobuf_Duration(.seconds(300)) }
        $0.useDownstreamProtocolConfig = .with {
            $0.httpProtocolOptions = Envoy_Config_Core_V3_Http1ProtocolOptions()
            $0.http2ProtocolOptions = Envoy_Config_Core_V3_Http2ProtocolOptions()
        }
    }

    static let passthrough: Google_Protobuf_Any = .packing(asDownstream)

    /// A rule may ask for the upgrade on any port, the mesh only for ports known to be HTTP.
    private static func speaksHTTP2(_ target: ClusterTarget, _ mesh: MeshConfig) -> Bool {
        if target.port.protocol.isHTTP2 { return true }
        switch target.policy.connectionPool?.http?.h2UpgradePolicy ?? .default {
        case .upgrade: return true
        case .doNotUpgrade: return false
        case .default: return target.port.protocol.isHTTP && mesh.h2UpgradePolicy == .upgrade
        }
    }

    private static func http2Options(
        _ http: ConnectionPoolSettings.HTTP?
    ) -> Envoy_Config_Core_V3_Http2ProtocolOptions {
        .with {
            if let streams = positive(http?.maxConcurrentStreams) {
                $0.maxConcurrentStreams = Google_Protobuf_UInt32Value(streams)
            }
            if let keepalive = http?.http2KeepAlive {
                $0.connectionKeepalive = .with {
                    if let interval = keepalive.interval { $0.interval = Google_Protobuf_Duration(interval) }
                    if let timeout = keepalive.timeout { $0.timeout = Google_Protobuf_Duration(timeout) }
                }
            }
        }
    }

    /// The TCP idle timeout counts for HTTP too, unless HTTP has its own.
    private static func commonOptions(_ pool: ConnectionPoolSettings?) -> Envoy_Config_Core_V3_HttpProtocolOptions? {
        let idle = pool?.http?.idleTimeout ?? pool?.tcp?.idleTimeout
        let requests = positive(pool?.http?.maxRequestsPerConnection)
        let lifetime = pool?.tcp?.maxConnectionDuration
        if idle == nil, requests == nil, lifetime == nil { return nil }
        return .with {
            if let idle { $0.idleTimeout = Google_Protobuf_Duration(idle) }
            if let requests { $0.maxRequestsPerConnection = Google_Protobuf_UInt32Value(requests) }
            if let lifetime { $0.maxConnectionDuration = Google_Protobuf_Duration(lifetime) }
        }
    }
}
