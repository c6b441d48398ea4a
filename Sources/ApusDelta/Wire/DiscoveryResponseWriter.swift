package import ApusCore

/// Composes discovery responses in protobuf wire format around resources that are encoded already, so a push copies
/// bytes and encodes nothing.
///
/// Field numbers: `envoy.service.discovery.v3.DeltaDiscoveryResponse`, `DiscoveryResponse` and `Resource`.
package enum DiscoveryResponseWriter {
    /// A serialized `DeltaDiscoveryResponse`. Neither list may repeat a name, nor may both lists share one.
    package static func delta(
        type: ResourceType,
        systemVersion: ContentVersion,
        nonce: String,
        changed: [EncodedResource],
        removed: [String],
        controlPlane: String = ""
    ) -> [UInt8] {
        let version = systemVersion.description
        let plane = control(controlPlane)
        var size = frame(version: version, type: type, nonce: nonce, plane: plane)
        for resource in changed { size += WireWriter.size(ofFieldWith: deltaSize(resource)) }
        for name in removed { size += WireWriter.size(ofFieldWith: name.utf8.count) }

        var writer = WireWriter(capacity: size)
        writer.text(1, version)
        for resource in changed {
            writer.header(2, length: deltaSize(resource))
            writer.version(1, resource.version)
            writer.message(2, resource.body)
            writer.text(3, resource.name)
        }
        writer.text(4, type.typeURL)
        writer.text(5, nonce)
        for name in removed {
            writer.header(6, length: name.utf8.count)
            writer.append(name)
        }
        if !plane.isEmpty { writer.message(7, plane) }
        return writer.bytes
    }

    /// A serialized `DiscoveryResponse` (state of the world).
    package static func stateOfTheWorld(
        type: ResourceType,
        version: ContentVersion,
        nonce: String,
        resources: [EncodedResource],
        controlPlane: String = ""
    ) -> [UInt8] {
        let version = version.description
        let plane = control(controlPlane)
        var size = frame(version: version, type: type, nonce: nonce, plane: plane)
        for resource in resources { size += WireWriter.size(ofFieldWith: resource.body.count) }

        var writer = WireWriter(capacity: size)
        writer.text(1, version)
        for resource in resources { writer.message(2, resource.body) }
        writer.text(4, type.typeURL)
        writer.text(5, nonce)
        if !plane.isEmpty { writer.message(6, plane) }
        return writer.bytes
    }

    /// `Resource` with version, body and name. A version has sixteen digits.
    private static func deltaSize(_ resource: EncodedResource) -> Int {
        18 + WireWriter.size(ofFieldWith: resource.body.count) + WireWriter.size(ofText: resource.name)
    }

    private static func frame(version: String, type: ResourceType, nonce: String, plane: [UInt8]) -> Int {
        WireWriter.size(ofText: version) + WireWriter.size(ofText: type.typeURL) + WireWriter.size(ofText: nonce)
            + (plane.isEmpty ? 0 : WireWriter.size(ofFieldWith: plane.count))
    }

    /// `ControlPlane { identifier }`.
    private static func control(_ identifier: String) -> [UInt8] {
        guard !identifier.isEmpty else { return [] }
        var writer = WireWriter(capacity: WireWriter.size(ofText: identifier))
        writer.text(1, identifier)
        return writer.bytes
    }
}
