package import ApusAPI
package import ApusMesh
internal import SwiftProtobuf

/// Why a node that an xDS client names cannot be served.
package enum NodeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not `type~ip~name.namespace~domain`.
    case malformedID(String)
    /// `waypoint`, `ztunnel`, `agentgateway` and unknown types.
    case unsupportedType(String)
    case tooLong

    package var description: String {
        switch self {
        case .malformedID(let id):
            "node id \"\(id)\" is not of the form type~ip~name.namespace~domain"
        case .unsupportedType(let type):
            "node type \"\(type)\" is not served; use sidecar or router"
        case .tooLong:
            "node id or metadata is too long"
        }
    }
}

/// xDS node to proxy (semantics 2.6).
package enum ProxyNode {
    private static let longestID = 1024
    private static let mostLabels = 256
    private static let mostAddresses = 64

    /// Takes what the node says; labels and place of a known workload are taken over later, by the snapshot.
    package static func proxy(from node: Envoy_Config_Core_V3_Node) throws(NodeError) -> Proxy {
        guard node.id.utf8.count <= longestID else { throw .tooLong }
        let parts = node.id.split(separator: "~", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let dot = parts[2].lastIndex(of: ".") else { throw .malformedID(node.id) }
        let podName = String(parts[2][..<dot])
        let podNamespace = String(parts[2][parts[2].index(after: dot)...])
        guard !podName.isEmpty, !podNamespace.isEmpty else { throw .malformedID(node.id) }
        guard let role = Proxy.Role(rawValue: parts[0]) else { throw .unsupportedType(parts[0]) }

        let metadata = node.metadata.fields
        func text(_ key: String) -> String? {
            guard let value = metadata[key]?.stringValue, !value.isEmpty else { return nil }
            return value
        }
        let namespace = text("NAMESPACE") ?? podNamespace
        var addresses = text("INSTANCE_IPS").map { $0.split(separator: ",").map(trim).filter { !$0.isEmpty } } ?? []
        if addresses.isEmpty, !parts[1].isEmpty { addresses = [parts[1]] }
        var labels: [String: String] = [:]
        for (key, value) in metadata["LABELS"]?.structValue.fields ?? [:] { labels[key] = value.stringValue }
        guard labels.count <= mostLabels, addresses.count <= mostAddresses else { throw .tooLong }

        var locality = Locality(
            region: node.locality.region, zone: node.locality.zone, subzone: node.locality.subZone)
        if locality.isEmpty, let label = labels["istio-locality"] {
            locality = Locality(label.contains("/") ? label : label.split(separator: ".").joined(separator: "/"))
        }
        return Proxy(
            id: "\(text("NAME") ?? podName).\(namespace)",
            role: role,
            generator: text("GENERATOR") == "grpc" ? .grpc : .envoy,
            namespace: namespace,
            addresses: addresses,
            labels: labels,
            serviceAccount: text("SERVICE_ACCOUNT") ?? "default",
            dnsDomain: parts[3].isEmpty ? nil : parts[3],
            locality: locality,
            network: text("NETWORK") ?? "",
            nodeName: text("NODE_NAME") ?? "",
            interception: text("INTERCEPTION_MODE").flatMap(Proxy.Interception.init(rawValue:)) ?? .redirect,
            httpProxyPort: number(metadata["HTTP_PROXY_PORT"]),
            isUnprivileged: flag(metadata["UNPRIVILEGED_POD"]),
            http10: flag(metadata["HTTP10"]))
    }

    /// Whether a proxy that proved who it is can use its certificate towards its peers. Only our own proxy has to say so:
    /// it learnt to prove its identity before it learnt TLS.
    package static func speaksMutualTLS(_ node: Envoy_Config_Core_V3_Node) -> Bool {
        node.userAgentName != "apus-proxy" || flag(node.metadata.fields["MUTUAL_TLS"])
    }

    private static func trim(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// Booleans arrive as booleans or as text, `1` and `true` alike.
    private static func flag(_ value: Google_Protobuf_Value?) -> Bool {
        switch value?.kind {
        case .boolValue(let flag): flag
        case .stringValue(let text): text == "1" || text.lowercased() == "true"
        case .numberValue(let number): number == 1
        default: false
        }
    }

    /// A port, from text or a number.
    private static func number(_ value: Google_Protobuf_Value?) -> UInt32? {
        let port: UInt32? =
            switch value?.kind {
            case .numberValue(let number): UInt32(exactly: number)
            case .stringValue(let text): UInt32(text)
            default: nil
            }
        return port.flatMap { $0 > 0 && $0 <= 65535 ? $0 : nil }
    }
}
