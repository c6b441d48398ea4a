internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

/// A source that cannot be used: the field below it, and why.
struct SourceFault: Error {
    let path: String
    let code: String
    let reason: String
    var hint: String?
}

extension ResourceSource {
    /// nil: the source names nothing.
    static func read(_ source: Envoy_Config_Core_V3_ConfigSource) throws(SourceFault) -> ResourceSource? {
        if source.resourceApiVersion == .v2 {
            throw SourceFault(
                path: "resource_api_version", code: BootstrapCode.badValue, reason: "the v2 API is gone",
                hint: "write V3")
        }
        switch source.configSourceSpecifier {
        case .ads: return .ads
        case .path(let path): return .file(path: try filled(path, "path"), watchedDirectory: nil)
        case .pathConfigSource(let file):
            let directory = file.hasWatchedDirectory ? file.watchedDirectory.path : nil
            if directory?.isEmpty == true {
                throw SourceFault(
                    path: "path_config_source.watched_directory.path", code: BootstrapCode.missing, reason: "empty")
            }
            return .file(path: try filled(file.path, "path_config_source.path"), watchedDirectory: directory)
        case .apiConfigSource(let api):
            do {
                return .stream(try StreamSource.read(api))
            } catch {
                throw SourceFault(
                    path: "api_config_source.\(error.path)", code: error.code, reason: error.reason, hint: error.hint)
            }
        case .self_p:
            throw SourceFault(
                path: "self", code: BootstrapCode.unsupported,
                reason: "self is for what a stream brings; name the source here")
        case nil: return nil
        }
    }

    private static func filled(_ path: String, _ field: String) throws(SourceFault) -> String {
        guard !path.isEmpty else { throw SourceFault(path: field, code: BootstrapCode.missing, reason: "empty") }
        return path
    }
}

extension StreamSource {
    static func read(_ api: Envoy_Config_Core_V3_ApiConfigSource) throws(SourceFault) -> StreamSource {
        let isDelta: Bool
        switch api.apiType {
        case .grpc, .aggregatedGrpc: isDelta = false
        case .deltaGrpc, .aggregatedDeltaGrpc: isDelta = true
        case .rest:
            throw SourceFault(
                path: "api_type", code: BootstrapCode.unsupported, reason: "REST is not supported by this proxy",
                hint: "write GRPC or DELTA_GRPC")
        default:
            throw SourceFault(
                path: "api_type", code: BootstrapCode.badValue, reason: "api_type must be GRPC or DELTA_GRPC")
        }
        if api.transportApiVersion == .v2 {
            throw SourceFault(
                path: "transport_api_version", code: BootstrapCode.badValue, reason: "the v2 API is gone",
                hint: "write V3")
        }
        guard let service = api.grpcServices.first else {
            throw SourceFault(
                path: "grpc_services", code: BootstrapCode.missing,
                reason: "grpc_services is missing: it says which cluster the stream goes to")
        }
        guard api.grpcServices.count == 1 else {
            throw SourceFault(
                path: "grpc_services[1]", code: BootstrapCode.unsupported,
                reason: "a second gRPC service, for failing over, is not supported by this proxy")
        }
        guard case .envoyGrpc(let grpc) = service.targetSpecifier else {
            throw SourceFault(
                path: "grpc_services[0]", code: BootstrapCode.unsupported,
                reason: "only envoy_grpc is supported by this proxy")
        }
        guard !grpc.clusterName.isEmpty else {
            throw SourceFault(
                path: "grpc_services[0].envoy_grpc", code: BootstrapCode.missing,
                reason: "cluster_name is missing: it says which cluster the stream goes to")
        }
        return StreamSource(
            cluster: grpc.clusterName, isDelta: isDelta,
            metadata: service.initialMetadata.map { Header(name: $0.key, value: $0.value) })
    }

    static let clusterPath = "grpc_services[0].envoy_grpc.cluster_name"
}

/// The sources that a cluster or listener names for what it is to be completed with.
enum ReferredSources {
    struct Located {
        let path: String
        let message: Envoy_Config_Core_V3_ConfigSource
    }

    static func located(_ cluster: Envoy_Config_Cluster_V3_Cluster) -> [Located] {
        guard cluster.type == .eds else { return [] }
        return [Located(path: "eds_cluster_config.eds_config", message: cluster.edsClusterConfig.edsConfig)]
    }

    static func located(_ listener: Envoy_Config_Listener_V3_Listener) -> [Located] {
        HTTPManagers.of(listener).compactMap { place in
            guard case .rds(let rds) = place.manager.routeSpecifier else { return nil }
            return Located(path: "\(place.path).rds.config_source", message: rds.configSource)
        }
    }
}

/// The HTTP connection managers of a listener, and where in it they are.
enum HTTPManagers {
    typealias Manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager

    static func of(_ listener: Envoy_Config_Listener_V3_Listener) -> [(path: String, manager: Manager)] {
        var chains = listener.filterChains.enumerated().map { ("filter_chains[\($0.offset)]", $0.element) }
        if listener.hasDefaultFilterChain { chains.append(("default_filter_chain", listener.defaultFilterChain)) }
        var result: [(String, Manager)] = []
        for (path, chain) in chains {
            for (index, filter) in chain.filters.enumerated() {
                let any = filter.typedConfig
                guard any.typeURL.hasSuffix("/" + Manager.protoMessageName),
                    let manager = try? Manager(serializedBytes: any.value)
                else { continue }
                result.append(("\(path).filters[\(index)].typed_config", manager))
            }
        }
        return result
    }
}
