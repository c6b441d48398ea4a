internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import Foundation
internal import SwiftProtobuf
internal import Testing

@Suite("Discovery response writer")
struct DiscoveryResponseWriterTests {
    /// Bodies around the sizes at which a length takes one more byte.
    static let sizes = [0, 1, 90, 100, 126, 127, 128, 129, 16_382, 16_383, 16_384, 2_097_152]

    private func sized(_ name: String, _ size: Int) -> EncodedResource {
        resource(.cluster, name + String(repeating: "x", count: size))
    }

    @Test("a delta response reads back as what was put in", arguments: sizes)
    func delta(size: Int) throws {
        let resources = [sized("a", size), sized("b", 3)]
        let removed = ["c", "d" + String(repeating: "y", count: size)]
        let bytes = DiscoveryResponseWriter.delta(
            type: .cluster, systemVersion: ContentVersion(0xabc), nonce: "p-1f", changed: resources, removed: removed,
            controlPlane: "apus-0")
        let message = try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: bytes)
        #expect(message.systemVersionInfo == "0000000000000abc")
        #expect(message.typeURL == ResourceType.cluster.typeURL)
        #expect(message.nonce == "p-1f")
        #expect(message.removedResources == removed)
        #expect(message.controlPlane.identifier == "apus-0")
        #expect(message.resources.map(\.name) == resources.map(\.name))
        #expect(message.resources.map(\.version) == resources.map(\.version.description))
        for (entry, resource) in zip(message.resources, resources) {
            let body: [UInt8] = try entry.resource.serializedBytes()
            #expect(body == resource.body)
        }
        #expect(message.unknownFields.data.isEmpty)
    }

    @Test("a state-of-the-world response reads back as what was put in", arguments: sizes)
    func stateOfTheWorld(size: Int) throws {
        let resources = [sized("a", size), sized("b", 3)]
        let bytes = DiscoveryResponseWriter.stateOfTheWorld(
            type: .listener, version: ContentVersion(7), nonce: "p-2", resources: resources, controlPlane: "apus-0")
        let message = try Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: bytes)
        #expect(message.versionInfo == "0000000000000007")
        #expect(message.typeURL == ResourceType.listener.typeURL)
        #expect(message.nonce == "p-2")
        #expect(message.controlPlane.identifier == "apus-0")
        for (entry, resource) in zip(message.resources, resources) {
            let body: [UInt8] = try entry.serializedBytes()
            #expect(body == resource.body)
        }
        #expect(message.resources.count == 2)
        #expect(message.unknownFields.data.isEmpty)
    }

    @Test("the bytes are those that SwiftProtobuf writes for the same message")
    func sameBytes() throws {
        let one = resource(.route, "a")
        var message = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse()
        message.systemVersionInfo = "0000000000000001"
        message.typeURL = ResourceType.route.typeURL
        message.nonce = "n"
        message.removedResources = ["b"]
        var entry = Envoy_Service_Discovery_V3_Resource()
        entry.name = "a"
        entry.version = one.version.description
        entry.resource = try Google_Protobuf_Any(serializedBytes: one.body)
        message.resources = [entry]
        let expected: [UInt8] = try message.serializedBytes()
        let composed = DiscoveryResponseWriter.delta(
            type: .route, systemVersion: ContentVersion(1), nonce: "n", changed: [one], removed: ["b"])
        #expect(composed == expected)
    }

    @Test("no control plane text leaves the field out")
    func noControlPlane() throws {
        let bytes = DiscoveryResponseWriter.delta(
            type: .route, systemVersion: ContentVersion(1), nonce: "n", changed: [], removed: [])
        let message = try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: bytes)
        #expect(!message.hasControlPlane)
    }
}
