internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// The HTTP connection manager of one filter chain: settings and filter order of semantics 3.7.
struct HTTPConnectionManager {
    enum Place { case outbound, inbound, gateway }

    enum Routes {
        case rds(String)
        case inline(Envoy_Config_Route_V3_RouteConfiguration)
    }

    typealias Message = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
    typealias HTTPFilter = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter

    let place: Place
    let statPrefix: String
    let routes: Routes
    var translatesGRPCWeb = false
    var acceptsHTTP10 = false
    /// What reads tokens and judges requests; before every other filter.
    var authorization: [HTTPFilter] = []
    /// An explicit forward proxy: requests carry the absolute form of their URI.
    var isForwardProxy = false
    var isTLSTerminated = false
    /// DNS caches that requests for hosts without endpoints of their own are resolved in.
    var dnsCaches: [DynamicForwardProxy.CacheConfig] = []

    func filter(mesh: MeshConfig, logs: AccessLogs) -> Envoy_Config_Listener_V3_Filter {
        var filter = Envoy_Config_Listener_V3_Filter()
        filter.name = "envoy.filters.network.http_connection_manager"
        filter.typedConfig = .packing(message(mesh: mesh, logs: logs))
        return filter
    }

    func message(mesh: MeshConfig, logs: AccessLogs) -> Message {
        var manager = Message()
        manager.codecType = .auto
        manager.statPrefix = statPrefix
        switch routes {
        case .rds(let name):
            manager.rds.routeConfigName = name
            manager.rds.configSource = ConfigSources.ads
        case .inline(let configuration):
            manager.routeConfig = configuration
        }
        manager.httpFilters = httpFilters
        manager.streamIdleTimeout = Google_Protobuf_Duration()
        manager.proxy100Continue = true
        var websocket = Message.UpgradeConfig()
        websocket.upgradeType = "websocket"
        manager.upgradeConfigs = [websocket]
        manager.requestIDExtension.typedConfig = .packing(requestID)
        manager.accessLog = logs.forRequests
        normalizePaths(&manager, mesh.pathNormalization)
        if acceptsHTTP10 { manager.httpProtocolOptions.acceptHTTP10 = true }
        if isForwardProxy { manager.httpProtocolOptions.allowAbsoluteURL.value = true }
        switch place {
        case .outbound:
            manager.useRemoteAddress.value = false
        case .inbound:
            manager.useRemoteAddress.value = false
            manager.forwardClientCertDetails = .appendForward
            manager.setCurrentClientCertDetails.subject.value = true
            manager.setCurrentClientCertDetails.uri = true
            manager.setCurrentClientCertDetails.dns = true
            manager.serverName = "istio-envoy"
            manager.generateRequestID.value = true
        case .gateway:
            manager.useRemoteAddress.value = true
            manager.xffNumTrustedHops = mesh.numTrustedProxies
            manager.forwardClientCertDetails = .sanitizeSet
            manager.setCurrentClientCertDetails.subject.value = true
            manager.setCurrentClientCertDetails.cert = true
            manager.setCurrentClientCertDetails.uri = true
            manager.setCurrentClientCertDetails.dns = true
            manager.serverName = "istio-envoy"
            manager.generateRequestID.value = true
        }
        return manager
    }

    private var requestID: Envoy_Extensions_RequestId_Uuid_V3_UuidRequestIdConfig {
        var config = Envoy_Extensions_RequestId_Uuid_V3_UuidRequestIdConfig()
        config.useRequestIDForTraceSampling.value = true
        return config
    }

    private func normalizePaths(_ manager: inout Message, _ normalization: MeshConfig.PathNormalization) {
        manager.pathWithEscapedSlashesAction = .keepUnchanged
        switch normalization {
        case .none:
            manager.normalizePath.value = false
        case .default, .base:
            manager.normalizePath.value = true
        case .mergeSlashes:
            manager.normalizePath.value = true
            manager.mergeSlashes = true
        case .decodeAndMergeSlashes:
            manager.normalizePath.value = true
            manager.mergeSlashes = true
            manager.pathWithEscapedSlashesAction = .unescapeAndForward
        }
    }

    /// Only filters that a stock Envoy has; Istio's own (`istio.stats`, `istio.alpn`, metadata exchange) are left out.
    private var httpFilters: [HTTPFilter] {
        var filters = authorization
        if translatesGRPCWeb {
            filters.append(
                named(
                    "envoy.filters.http.grpc_web",
                    .packing(Envoy_Extensions_Filters_Http_GrpcWeb_V3_GrpcWeb())))
        }
        var statistics = Envoy_Extensions_Filters_Http_GrpcStats_V3_FilterConfig()
        statistics.emitFilterState = true
        statistics.statsForAllMethods.value = false
        filters.append(named("envoy.filters.http.grpc_stats", .packing(statistics)))
        filters.append(named("envoy.filters.http.fault", .packing(Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault())))
        filters.append(named("envoy.filters.http.cors", .packing(Envoy_Extensions_Filters_Http_Cors_V3_Cors())))
        for (index, cache) in dnsCaches.enumerated() {
            // The names of a manager's filters differ; the first has the usual one.
            let suffix = index == 0 ? "" : "." + cache.name
            filters.append(
                named(
                    DynamicForwardProxy.filterName + suffix,
                    .packing(
                        Envoy_Extensions_Filters_Http_DynamicForwardProxy_V3_FilterConfig.with {
                            $0.dnsCacheConfig = cache
                        })))
        }
        filters.append(Self.router)
        return filters
    }

    static var router: HTTPFilter {
        named("envoy.filters.http.router", .packing(Envoy_Extensions_Filters_Http_Router_V3_Router()))
    }

    private static func named(_ name: String, _ config: Google_Protobuf_Any) -> HTTPFilter {
        var filter = HTTPFilter()
        filter.name = name
        filter.typedConfig = config
        return filter
    }

    private func named(_ name: String, _ config: Google_Protobuf_Any) -> HTTPFilter { Self.named(name, config) }
}
