/// Istio's MeshConfig with Istio's defaults (semantics 4.12).
package struct MeshConfig: Hashable, Sendable {
    package enum PathNormalization: String, Hashable, Sendable, CaseIterable {
        case `default` = "DEFAULT"
        case none = "NONE"
        case base = "BASE"
        case mergeSlashes = "MERGE_SLASHES"
        case decodeAndMergeSlashes = "DECODE_AND_MERGE_SLASHES"
    }

    package enum AccessLogEncoding: String, Hashable, Sendable, CaseIterable { case text = "TEXT", json = "JSON" }

    package enum InboundMode: String, Hashable, Sendable, CaseIterable {
        case passthrough = "PASSTHROUGH"
        case localhost = "LOCALHOST"
    }

    /// `meshMTLS`: of the mesh's own mutual TLS.
    package struct MutualTLS: Hashable, Sendable {
        package enum Version: String, Hashable, Sendable, CaseIterable {
            case auto = "TLS_AUTO"
            case v12 = "TLSV1_2"
            case v13 = "TLSV1_3"
        }

        /// `TLS_AUTO` is TLS 1.2.
        package var minProtocolVersion = Version.auto
        /// Empty: Istio's list.
        package var cipherSuites: [String] = []
        package var ecdhCurves: [String] = []
        package init() {}
    }

    package enum H2UpgradePolicy: String, Hashable, Sendable, CaseIterable {
        case doNotUpgrade = "DO_NOT_UPGRADE"
        case upgrade = "UPGRADE"
    }

    package var connectTimeout: Duration = .seconds(10)
    package var protocolDetectionTimeout: Duration = .zero
    package var tcpKeepalive: ConnectionPoolSettings.TCP.Keepalive?
    package var proxyListenPort: UInt32 = 15001
    package var proxyInboundListenPort: UInt32 = 15006
    /// 0: no HTTP proxy listener.
    package var proxyHttpPort: UInt32 = 0
    package var trustDomain = "cluster.local"
    package var trustDomainAliases: [String] = []
    package var rootNamespace = "istio-system"
    package var outboundTrafficPolicy: OutboundTrafficPolicy = {
        var policy = OutboundTrafficPolicy()
        policy.mode = .allowAny
        return policy
    }()
    package var inboundTrafficPolicy = InboundMode.passthrough
    package var enableAutoMtls = true
    package var meshMTLS = MutualTLS()
    package var enableTracing = true
    package var accessLogFile = ""
    package var accessLogFormat = ""
    package var accessLogEncoding = AccessLogEncoding.text
    package var defaultServiceExportTo: [String] = ["*"]
    package var defaultVirtualServiceExportTo: [String] = ["*"]
    package var defaultDestinationRuleExportTo: [String] = ["*"]
    package var localityLbSetting: LocalityLoadBalancerSettings = {
        var setting = LocalityLoadBalancerSettings()
        setting.enabled = true
        return setting
    }()
    /// nil: locality settings alone decide.
    package var zoneAwareLbSetting: ZoneAwareSettings?
    package var dnsRefreshRate: Duration = .seconds(60)
    package var h2UpgradePolicy = H2UpgradePolicy.doNotUpgrade
    package var pathNormalization = PathNormalization.default
    package var defaultHttpRetryPolicy: HTTPRetry?
    package var outboundClusterStatName = ""
    package var inboundClusterStatName = ""
    package var enablePrometheusMerge = true
    package var verifyCertificateAtClient: Bool?
    package var ingressService = "istio-ingressgateway"
    package var ingressSelector = ""
    /// `defaultConfig.gatewayTopology.numTrustedProxies`.
    package var numTrustedProxies: UInt32 = 0
    package init() {}
}
