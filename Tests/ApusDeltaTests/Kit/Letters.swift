internal import ApusCore
internal import Foundation
internal import SwiftProtobuf

/// Resources whose name is a letter (or a short word) and whose content is a number.
func resource(_ type: ResourceType, _ name: String, _ content: Int = 1, sources: [String] = []) -> EncodedResource {
    var any = Google_Protobuf_Any()
    any.typeURL = type.typeURL
    any.value = Data("\(name)=\(content)".utf8)
    return EncodedResource(name: name, body: (try? any.serializedBytes()) ?? [], sources: sources)
}

/// `["a": 1, "b": 2]` as a set; `after` makes it a successor that knows the way.
func set(_ type: ResourceType, _ contents: [String: Int], after previous: ResourceSet? = nil) -> ResourceSet {
    ResourceSet(type: type, resources: contents.map { resource(type, $0.key, $0.value) }, after: previous)
}

func view(
    cds: [String: Int] = [:], eds: [String: Int] = [:], lds: [String: Int] = [:], rds: [String: Int] = [:],
    sds: [String: Int] = [:]
) -> ResourceView {
    ResourceView(
        clusters: set(.cluster, cds), endpoints: set(.endpoints, eds), listeners: set(.listener, lds),
        routes: set(.route, rds), secrets: set(.secret, sds))
}

/// An empty stand-in for endpoints and routes, as the control plane supplies.
@Sendable func emptyStandIn(_ type: ResourceType, _ name: String) -> EncodedResource? {
    type == .endpoints || type == .route ? resource(type, name, 0) : nil
}

extension Instant {
    static func seconds(_ seconds: Int) -> Instant { Instant(sinceOrigin: .seconds(seconds)) }
}
