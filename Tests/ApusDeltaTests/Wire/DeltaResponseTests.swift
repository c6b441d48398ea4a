internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import SwiftProtobuf
internal import Testing

@Suite("Reading delta responses")
struct DeltaResponseTests {
    private func sample() throws -> [UInt8] {
        var message = Envoy_Service_Discovery_V3_DeltaDiscoveryResponse()
        message.systemVersionInfo = "sys"
        message.typeURL = ResourceType.route.typeURL
        message.nonce = "n1"
        message.removedResources = ["x", "ü"]
        message.controlPlane.identifier = "cp"
        for name in ["a", "b"] {
            var entry = Envoy_Service_Discovery_V3_Resource()
            entry.name = name
            entry.version = "v" + name
            entry.resource = try Google_Protobuf_Any(serializedBytes: resource(.route, name).body)
            message.resources.append(entry)
        }
        return try message.serializedBytes()
    }

    @Test("what SwiftProtobuf writes is read, bodies byte for byte")
    func reading() throws {
        let response = try #require(DeltaResponse(serialized: sample()))
        #expect(response.systemVersion == "sys")
        #expect(response.typeURL == ResourceType.route.typeURL)
        #expect(response.nonce == "n1")
        #expect(response.removed == ["x", "ü"])
        #expect(response.controlPlane == "cp")
        #expect(response.resources.map(\.name) == ["a", "b"])
        #expect(response.resources.map(\.version) == ["va", "vb"])
        #expect(response.resources.map(\.typeURL) == [ResourceType.route.typeURL, ResourceType.route.typeURL])
        #expect(response.resources.map(\.body) == [resource(.route, "a").body, resource(.route, "b").body])
    }

    @Test("fields that are not known are passed over")
    func unknownFields() throws {
        // Field 100 as a varint, field 101 as 64 bits, field 102 as bytes, field 103 as 32 bits.
        let unknown: [UInt8] =
            [0xa0, 0x06, 0x96, 0x01] + [0xa9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8] + [0xb2, 0x06, 2, 9, 9]
            + [0xbd, 0x06, 1, 2, 3, 4]
        let response = try #require(DeltaResponse(serialized: unknown + sample() + unknown))
        #expect(response.resources.count == 2)
        #expect(response.nonce == "n1")
    }

    /// SwiftProtobuf is the judge, save that a body given twice is refused here and merged there.
    @Test("damaged bytes never trap and are read only where SwiftProtobuf reads the same", arguments: 0..<8)
    func damage(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let good = try sample()
        var compared = 0
        for _ in 0..<3_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    guard let index = bytes.indices.randomElement(using: &random) else { continue }
                    bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
                default:
                    let at = Int.random(in: 0...bytes.count, using: &random)
                    bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            guard let mine = DeltaResponse(serialized: bytes) else { continue }
            guard let theirs = try? Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: bytes) else {
                // SwiftProtobuf also reads inside fields that are passed over here.
                continue
            }
            compared += 1
            #expect(mine.systemVersion == theirs.systemVersionInfo)
            #expect(mine.typeURL == theirs.typeURL)
            #expect(mine.nonce == theirs.nonce)
            #expect(mine.removed == theirs.removedResources)
            #expect(mine.resources.map(\.name) == theirs.resources.map(\.name))
            #expect(mine.resources.map(\.version) == theirs.resources.map(\.version))
            #expect(mine.resources.map(\.typeURL) == theirs.resources.map(\.resource.typeURL))
        }
        #expect(compared > 150)
    }
}
