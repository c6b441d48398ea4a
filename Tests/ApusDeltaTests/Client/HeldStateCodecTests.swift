internal import ApusCore
internal import ApusDelta
internal import Testing

@Suite("Saved state of a client")
struct HeldStateCodecTests {
    private let state: HeldState = {
        var state = HeldState()
        for type in ResourceType.allCases {
            for name in ["a", "ünïcode", String(repeating: "x", count: 300)] {
                state[type][name] = .init(version: "v-\(name)", body: resource(type, name).body)
            }
        }
        return state
    }()

    @Test("what is encoded decodes to the same, and equal state is equal bytes")
    func roundTrip() throws {
        let bytes = HeldStateCodec.encode(state, node: "me")
        #expect(try HeldStateCodec.decode(bytes, node: "me") == state)
        let decoded = try HeldStateCodec.decode(bytes, node: "me")
        #expect(HeldStateCodec.encode(decoded, node: "me") == bytes)
        #expect(try HeldStateCodec.decode(HeldStateCodec.encode(HeldState(), node: ""), node: "").isEmpty)
    }

    @Test("any single changed byte is found")
    func damaged() {
        let bytes = HeldStateCodec.encode(state, node: "me")
        for index in bytes.indices {
            var broken = bytes
            broken[index] ^= 0x41
            #expect(throws: HeldStateCodec.Fault.self) { try HeldStateCodec.decode(broken, node: "me") }
        }
    }

    @Test("any cut is found")
    func cut() {
        let bytes = HeldStateCodec.encode(state, node: "me")
        for length in 0..<bytes.count {
            #expect(throws: HeldStateCodec.Fault.self) {
                try HeldStateCodec.decode(Array(bytes.prefix(length)), node: "me")
            }
        }
    }

    @Test("the state of another proxy is not taken")
    func otherNode() {
        let bytes = HeldStateCodec.encode(state, node: "me")
        #expect(throws: HeldStateCodec.Fault.otherNode("me")) { try HeldStateCodec.decode(bytes, node: "you") }
    }

    @Test("another form is told apart from damage")
    func otherForm() {
        var bytes = HeldStateCodec.encode(state, node: "me")
        bytes[7] = 9
        #expect(throws: HeldStateCodec.Fault.otherForm(9)) { try HeldStateCodec.decode(bytes, node: "me") }
        #expect(throws: HeldStateCodec.Fault.notOurs) {
            try HeldStateCodec.decode([UInt8](repeating: 7, count: 64), node: "me")
        }
    }
}
