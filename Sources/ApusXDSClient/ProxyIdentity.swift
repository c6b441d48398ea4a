package import ApusAPI
internal import SwiftProtobuf

/// Who a proxy says it is. The control plane reads it from the `node` of the first request.
package struct ProxyIdentity: Hashable, Sendable {
    package enum Role: String, Hashable, Sendable {
        case sidecar
        /// Istio's node type of a gateway is `router`.
        case gateway = "router"
    }

    package var role: Role
    package struct Locality: Hashable, Sendable {
        package var region: String
        package var zone: String
        package var subZone: String

        package init(region: String, zone: String = "", subZone: String = "") {
            self.region = region
            self.zone = zone
            self.subZone = subZone
        }
    }

    /// The first is the one in the node id.
    package var addresses: [String]
    package var name: String
    package var namespace: String
    /// What follows `svc.` in the names of services.
    package var domainSuffix = "cluster.local"
    package var serviceAccount = ""
    package var labels: [String: String] = [:]
    package var locality: Locality?
    /// Further metadata as Istio names it, such as `CLUSTER_ID` or `INTERCEPTION_MODE`. What the other fields say takes
    /// precedence.
    package var metadata: [String: String] = [:]

    package init(role: Role = .sidecar, addresses: [String], name: String, namespace: String) {
        self.role = role
        self.addresses = addresses
        self.name = name
        self.namespace = namespace
    }

    /// `<type>~<ip>~<name>.<namespace>~<namespace>.svc.<suffix>`: Istio's node id, exactly four parts.
    package var nodeID: String {
        "\(role.rawValue)~\(addresses.first ?? "")~\(name).\(namespace)~\(namespace).svc.\(domainSuffix)"
    }

    /// `version`: that of the proxy program.
    package func node(version: String) -> Envoy_Config_Core_V3_Node {
        var node = Envoy_Config_Core_V3_Node()
        node.id = nodeID
        node.cluster = "\(labels["app"] ?? name).\(namespace)"
        var fields = metadata.mapValues { Google_Protobuf_Value(stringValue: $0) }
        fields["NAME"] = .init(stringValue: name)
        fields["NAMESPACE"] = .init(stringValue: namespace)
        if !addresses.isEmpty { fields["INSTANCE_IPS"] = .init(stringValue: addresses.joined(separator: ",")) }
        if !serviceAccount.isEmpty { fields["SERVICE_ACCOUNT"] = .init(stringValue: serviceAccount) }
        var labelFields = Google_Protobuf_Struct()
        labelFields.fields = labels.mapValues { .init(stringValue: $0) }
        fields["LABELS"] = .init(structValue: labelFields)
        node.metadata.fields = fields
        if let locality {
            node.locality.region = locality.region
            node.locality.zone = locality.zone
            node.locality.subZone = locality.subZone
        }
        node.userAgentName = "apus-proxy"
        node.userAgentVersion = version
        return node
    }
}
