internal import ApusCore

/// The form in which a client keeps its held resources over a restart.
///
/// Header: eight bytes of magic with the version of the form, eight bytes of xxHash64 over all that follows, little
/// endian. Then the node id, the number of resources, and each resource as type, name, version, body; a text or body
/// is a length of four bytes, little endian, and its bytes. Resources are sorted, so equal state is equal bytes.
package enum HeldStateCodec {
    package enum Fault: Error, Hashable, Sendable {
        case notOurs
        case otherForm(UInt8)
        case damaged
        /// It belongs to another proxy.
        case otherNode(String)
    }

    private static let magic = [UInt8]("apusxds".utf8)
    private static let form: UInt8 = 1
    private static let headerLength = 16

    package static func encode(_ state: HeldState, node: String) -> [UInt8] {
        var payload: [UInt8] = []
        append(node.utf8, to: &payload)
        let count = ResourceType.allCases.reduce(0) { $0 + state[$1].count }
        append(UInt32(clamping: count), to: &payload)
        for type in ResourceType.allCases {
            for (name, entry) in state[type].sorted(by: { $0.key < $1.key }) {
                payload.append(type.rawValue)
                append(name.utf8, to: &payload)
                append(entry.version.utf8, to: &payload)
                append(entry.body, to: &payload)
            }
        }
        var bytes = magic
        bytes.append(form)
        withUnsafeBytes(of: XXHash64.hash(payload).littleEndian) { bytes.append(contentsOf: $0) }
        return bytes + payload
    }

    package static func decode(_ bytes: [UInt8], node: String) throws(Fault) -> HeldState {
        guard bytes.count >= headerLength, bytes.starts(with: magic) else { throw .notOurs }
        guard bytes[magic.count] == form else { throw .otherForm(bytes[magic.count]) }
        var digest: UInt64 = 0
        for index in stride(from: headerLength - 1, through: magic.count + 1, by: -1) {
            digest = digest << 8 | UInt64(bytes[index])
        }
        guard XXHash64.hash(Array(bytes[headerLength...])) == digest else { throw .damaged }
        var reader = Reader(rest: bytes[headerLength...])
        guard let owner = reader.text() else { throw .damaged }
        guard owner == node else { throw .otherNode(owner) }
        guard let count = reader.number() else { throw .damaged }
        var state = HeldState()
        for _ in 0..<count {
            guard let type = reader.byte().flatMap(ResourceType.init(rawValue:)), let name = reader.text(),
                let version = reader.text(), let body = reader.bytes()
            else { throw .damaged }
            state[type][name] = .init(version: version, body: Array(body))
        }
        guard reader.rest.isEmpty else { throw .damaged }
        return state
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func append(_ content: some Collection<UInt8>, to bytes: inout [UInt8]) {
        append(UInt32(clamping: content.count), to: &bytes)
        bytes.append(contentsOf: content)
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func byte() -> UInt8? { rest.popFirst() }

        mutating func number() -> UInt32? {
            guard rest.count >= 4 else { return nil }
            var number: UInt32 = 0
            for byte in rest.prefix(4).reversed() { number = number << 8 | UInt32(byte) }
            rest = rest.dropFirst(4)
            return number
        }

        mutating func bytes() -> ArraySlice<UInt8>? {
            guard let count = number(), rest.count >= Int(count) else { return nil }
            let bytes = rest.prefix(Int(count))
            rest = rest.dropFirst(Int(count))
            return bytes
        }

        mutating func text() -> String? { bytes().flatMap { String(validating: $0, as: UTF8.self) } }
    }
}
