internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// The `filter_metadata` entry `istio` of clusters, routes and endpoints (semantics 2.9), which metrics and people
/// read.
enum IstioMetadata {
    static let key = "istio"

    /// `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews`.
    static func configPath(of key: ObjectKey) -> String {
        "/apis/networking.istio.io/v1/namespaces/\(key.name.namespace)/\(pathSegment(of: key.kind))/\(key.name.name)"
    }

    /// `VirtualService` is written `virtual-service`.
    private static func pathSegment(of kind: Kind) -> String {
        var result = ""
        for character in kind.rawValue {
            if character.isUppercase, !result.isEmpty { result.append("-") }
            result.append(contentsOf: character.lowercased())
        }
        return result
    }

    static func string(_ text: String) -> Google_Protobuf_Value {
        var value = Google_Protobuf_Value()
        value.stringValue = text
        return value
    }

    static func metadata(_ fields: [String: Google_Protobuf_Value]) -> XDS.Metadata {
        var content = Google_Protobuf_Struct()
        content.fields = fields
        var metadata = XDS.Metadata()
        metadata.filterMetadata = [key: content]
        return metadata
    }

    static func config(_ key: ObjectKey) -> XDS.Metadata {
        metadata(["config": string(configPath(of: key))])
    }

    /// The `services` list of a cluster: what telemetry calls the destination.
    static func services(_ services: [Service]) -> Google_Protobuf_Value {
        var list = Google_Protobuf_ListValue()
        list.values = services.map { service in
            var content = Google_Protobuf_Struct()
            content.fields = [
                "host": string(service.host.text),
                "name": string(service.name),
                "namespace": string(service.namespace),
            ]
            var value = Google_Protobuf_Value()
            value.structValue = content
            return value
        }
        var value = Google_Protobuf_Value()
        value.listValue = list
        return value
    }
}
