internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Destinations whose names are resolved when a request asks for them: ServiceEntries of resolution DYNAMIC_DNS, and
/// unknown hosts under ALLOW_ANY_DYNAMIC_DNS.
///
/// A filter resolves the name and a cluster connects to it; they meet in a DNS cache, by its name. Envoy refuses two
/// caches of one name with different settings, so all of them are made here.
enum DynamicForwardProxy {
    typealias CacheConfig = Envoy_Extensions_Common_DynamicForwardProxy_V3_DnsCacheConfig

    static let filterName = "envoy.filters.http.dynamic_forward_proxy"

    /// The service has such a cluster on this port: wildcard hosts of sidecars, with a protocol that names the host.
    static func serves(_ service: Service, _ port: Service.Port, _ context: CompileContext) -> Bool {
        guard case .dynamicDNS = service.resolution, service.host.isWildcard else { return false }
        return !context.isRouter && !context.isProxyless && (port.protocol.isHTTP || port.protocol.isTLS)
    }

    /// - Parameter name: the host as written, or the cluster's name if it is for hosts of any name.
    static func cache(_ name: String, _ context: CompileContext) -> CacheConfig {
        .with {
            $0.name = name + "_dfp_dns_cache"
            $0.dnsLookupFamily = DNSSettings.family(context)
        }
    }

    /// - Parameter isChecked: the upstream's certificate is checked against the name that was resolved, which Envoy
    ///   insists on unless told otherwise.
    static func makeDynamic(
        _ cluster: inout XDS.Cluster, cacheName: String, isChecked: Bool, _ context: CompileContext
    ) {
        cluster.lbPolicy = .clusterProvided
        cluster.clusterType = .with {
            $0.name = "envoy.clusters.dynamic_forward_proxy"
            $0.typedConfig = .packing(
                Envoy_Extensions_Clusters_DynamicForwardProxy_V3_ClusterConfig.with {
                    $0.dnsCacheConfig = cache(cacheName, context)
                    $0.allowInsecureClusterOptions = !isChecked
                })
        }
    }

    /// The caches that an outbound connection manager fills, in order: of the hosts, then of all others.
    static func cacheNames(_ hosts: [String], _ context: CompileContext) -> [String] {
        hosts.sorted() + (context.resolvesUnknownHosts ? [ClusterName.allowAnyDynamicDNS] : [])
    }

    static func networkFilter(_ host: HostName, port: UInt32, _ context: CompileContext)
        -> Envoy_Config_Listener_V3_Filter
    {
        .with {
            $0.name = "envoy.filters.network.sni_dynamic_forward_proxy"
            $0.typedConfig = .packing(
                Envoy_Extensions_Filters_Network_SniDynamicForwardProxy_V3_FilterConfig.with {
                    $0.dnsCacheConfig = cache(host.text, context)
                    $0.portValue = port
                })
        }
    }

    /// `AllowAnyDynamicDNSCluster`: HTTP requests to hosts that no service has.
    static func unknownHosts(_ context: CompileContext) -> XDS.Cluster {
        let mesh = context.snapshot.meshConfig
        var cluster = XDS.Cluster()
        cluster.name = ClusterName.allowAnyDynamicDNS
        ClusterConnectionPool.apply(EffectivePolicy(), mesh: mesh, to: &cluster)
        var options = UpstreamHTTP.asDownstream
        let tls = context.scope.outboundPolicy.tls
        options.upstreamHTTPProtocolOptions = ClusterTLS.namesOfDynamicHosts(tls)
        if let socket = tls.flatMap({ ClusterTLS.originatedSocket($0, isHTTP2: false, mayUseSecret: false) }) {
            cluster.transportSocket = socket
        }
        cluster.typedExtensionProtocolOptions = [UpstreamHTTP.extensionName: .packing(options)]
        makeDynamic(
            &cluster, cacheName: cluster.name,
            isChecked: options.upstreamHTTPProtocolOptions.autoSanValidation, context)
        return cluster
    }
}

extension CompileContext {
    /// HTTP requests to unknown hosts are sent where DNS says: a mode of the whole mesh, for sidecars.
    var resolvesUnknownHosts: Bool {
        guard !isRouter, !isProxyless, scope.outboundPolicy.egressProxy == nil else { return false }
        return scope.outboundPolicy.mode == .allowAnyDynamicDNS
    }
}
