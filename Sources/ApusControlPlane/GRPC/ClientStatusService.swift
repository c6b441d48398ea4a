internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import ApusMesh
internal import GRPCCore
internal import SwiftProtobuf

/// `envoy.service.status.v3.ClientStatusDiscoveryService` (CSDS): what each connected client was sent, and how it
/// answered.
struct ClientStatusService: RegistrableRPCService {
    static let name = "envoy.service.status.v3.ClientStatusDiscoveryService"

    let pipeline: Pipeline

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerRawUnary(service: Self.name, method: "FetchClientStatus") { [self] bytes, _ in
            try await response(to: bytes).serializedBytes()
        }
        router.registerRaw(service: Self.name, method: "StreamClientStatus") { [self] request, _ in
            StreamingServerResponse { writer in
                for try await bytes in request.messages {
                    try await writer.write(try await response(to: bytes).serializedBytes())
                }
                return [:]
            }
        }
    }

    private func response(to bytes: [UInt8]) async throws -> Envoy_Service_Status_V3_ClientStatusResponse {
        let request = try Envoy_Service_Status_V3_ClientStatusRequest(serializedBytes: bytes)
        var response = Envoy_Service_Status_V3_ClientStatusResponse()
        for handle in await pipeline.connected {
            guard Self.matches(handle, request.nodeMatchers) else { continue }
            response.config.append(
                Self.config(of: handle, withResources: !request.excludeResourceContents))
        }
        return response
    }

    /// Only exact node ids are matched; other matchers select nothing rather than everything.
    private static func matches(
        _ handle: StreamHandle, _ matchers: [Envoy_Type_Matcher_V3_NodeMatcher]
    ) -> Bool {
        matchers.isEmpty || matchers.contains { $0.nodeID.exact == handle.nodeID || $0.nodeID.exact == handle.proxy.id }
    }

    private static func config(of handle: StreamHandle, withResources: Bool) -> Envoy_Service_Status_V3_ClientConfig {
        var config = Envoy_Service_Status_V3_ClientConfig()
        config.node.id = handle.nodeID
        let view = handle.view
        for type in ResourceType.allCases {
            guard let status = handle.status?[type], status.sent != nil else { continue }
            for resource in view[type].byName.values.sorted(by: { $0.name < $1.name }) {
                var entry = Envoy_Service_Status_V3_ClientConfig.GenericXdsConfig()
                entry.typeURL = type.typeURL
                entry.name = resource.name
                entry.versionInfo = resource.version.description
                if withResources, type != .secret, let any = try? Google_Protobuf_Any(serializedBytes: resource.body) {
                    entry.xdsConfig = any
                }
                let isRefused = status.rejection?.resources.contains(resource.name) ?? false
                entry.configStatus =
                    switch status.state {
                    case .synced: .synced
                    case .stale: .stale
                    case .notSent: .notSent
                    case .rejected: isRefused ? .error : .synced
                    }
                entry.clientStatus = isRefused ? .nacked : status.acknowledged == nil ? .requested : .acked
                if isRefused, let rejection = status.rejection {
                    entry.errorState.details = rejection.message
                    entry.errorState.versionInfo = rejection.version.description
                }
                config.genericXdsConfigs.append(entry)
            }
        }
        return config
    }
}
