internal import ApusCore
internal import ApusModel
internal import SwiftProtobuf

enum Encoding {
    static func resource<M: Message>(_ compiled: Compiled<M>, name: String, type: ResourceType) -> EncodedResource {
        EncodedResource(
            name: name, body: encode(compiled.message, typeURL: type.typeURL),
            sources: compiled.sources.map(\.description))
    }

    /// A set of fresh resources that keeps every equal instance of the set before it, and that set itself if nothing
    /// differs, so that nobody is woken.
    static func set(_ type: ResourceType, _ fresh: [EncodedResource], after old: ResourceSet?) -> ResourceSet {
        guard let old else { return ResourceSet(type: type, resources: fresh) }
        let kept = fresh.map { resource in
            if let known = old.byName[resource.name], known.version == resource.version { return known }
            return resource
        }
        let result = ResourceSet(type: type, resources: kept, after: old)
        return result.version == old.version ? old : result
    }
}
