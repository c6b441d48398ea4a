internal import ApusAPI
package import ApusCore
internal import SwiftProtobuf

/// A view as text, for `apus compile`: protobuf's JSON form, every `Any` opened, sorted by name. The same view gives
/// the same text.
package enum CompileOutput {
    /// `{"listeners": [...], "routes": [...], "clusters": [...], "endpoints": [...], "secrets": [...]}`; types that are
    /// not asked for are left out.
    package static func json(view: ResourceView, types: Set<ResourceType> = Set(ResourceType.allCases)) -> String {
        tree(view, types).json() + "\n"
    }

    /// The same as YAML.
    package static func yaml(view: ResourceView, types: Set<ResourceType> = Set(ResourceType.allCases)) -> String {
        tree(view, types).yaml() + "\n"
    }

    private static let order: [(type: ResourceType, key: String)] = [
        (.listener, "listeners"), (.route, "routes"), (.cluster, "clusters"), (.endpoints, "endpoints"),
        (.secret, "secrets"),
    ]

    private static func tree(_ view: ResourceView, _ types: Set<ResourceType>) -> JSONText {
        APIRegistry.registerAll()
        return .object(
            order.filter { types.contains($0.type) }.map { type, key in
                let resources = view[type].byName.values.sorted { $0.name < $1.name }
                return (key: "\"\(key)\"", value: .array(resources.compactMap { tree($0, type) }))
            })
    }

    private static func tree(_ resource: EncodedResource, _ type: ResourceType) -> JSONText? {
        guard let any = try? Google_Protobuf_Any(serializedBytes: resource.body) else { return nil }
        var options = JSONEncodingOptions()
        options.useDeterministicOrdering = true
        let text: String?
        switch type {
        case .cluster: text = try? XDS.Cluster(serializedBytes: any.value).jsonString(options: options)
        case .endpoints:
            text = try? XDS.ClusterLoadAssignment(serializedBytes: any.value).jsonString(options: options)
        case .listener:
            text = try? Envoy_Config_Listener_V3_Listener(serializedBytes: any.value).jsonString(options: options)
        case .route: text = try? XDS.RouteConfiguration(serializedBytes: any.value).jsonString(options: options)
        case .secret: text = secret(Array(any.value)).flatMap { try? $0.jsonString(options: options) }
        }
        return text.flatMap { JSONText($0)?.sorted() }
    }

    /// Keys are not for printing.
    private static func secret(_ bytes: [UInt8]) -> Envoy_Extensions_TransportSockets_Tls_V3_Secret? {
        guard var secret = try? Envoy_Extensions_TransportSockets_Tls_V3_Secret(serializedBytes: bytes) else {
            return nil
        }
        if case .tlsCertificate(var certificate)? = secret.type, certificate.hasPrivateKey {
            certificate.privateKey.inlineString = "[redacted]"
            secret.type = .tlsCertificate(certificate)
        }
        return secret
    }
}
