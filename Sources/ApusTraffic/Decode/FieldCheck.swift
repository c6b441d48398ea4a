internal import SwiftProtobuf

internal import struct Foundation.Data

/// Walks a decoded message and refuses what this proxy does not understand, wherever it is: unknown fields, and fields
/// that `FieldTable` does not name as used or ignored. Packed messages are checked when they are unpacked.
struct FieldCheck: Visitor {
    private let entry: FieldTable.Entry
    private let depth: Int

    static func check<M: Message>(_ message: M, depth: Int = 0) throws(Refusal) {
        // The decoder's own limit on nesting is 100.
        guard depth < 128 else { throw Refusal("", "nested too deeply") }
        guard let entry = FieldTable.messages[M.protoMessageName] else {
            throw Refusal.unsupported("", M.protoMessageName)
        }
        var visitor = FieldCheck(entry: entry, depth: depth)
        do {
            try message.traverse(visitor: &visitor)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal("", "cannot be read: \(error)")
        }
    }

    private func allows(_ number: Int) throws -> Bool {
        if entry.used.contains(number) { return true }
        if entry.ignored.contains(number) { return false }
        throw Refusal.unsupported(name(number))
    }

    private func name(_ number: Int) -> String { entry.names[number] ?? "field \(number)" }

    private func descend<M: Message>(_ message: M, _ path: String) throws {
        // Well-known types have no fields to be ignored.
        if M.protoMessageName.hasPrefix("google.protobuf.") { return }
        do { try Self.check(message, depth: depth + 1) } catch { throw error.under(path) }
    }

    mutating func visitSingularDoubleField(value: Double, fieldNumber: Int) throws { _ = try allows(fieldNumber) }
    mutating func visitSingularInt64Field(value: Int64, fieldNumber: Int) throws { _ = try allows(fieldNumber) }
    mutating func visitSingularUInt64Field(value: UInt64, fieldNumber: Int) throws { _ = try allows(fieldNumber) }
    mutating func visitSingularBoolField(value: Bool, fieldNumber: Int) throws { _ = try allows(fieldNumber) }
    mutating func visitSingularStringField(value: String, fieldNumber: Int) throws { _ = try allows(fieldNumber) }
    mutating func visitSingularBytesField(value: Data, fieldNumber: Int) throws { _ = try allows(fieldNumber) }

    mutating func visitSingularEnumField<E: Enum>(value: E, fieldNumber: Int) throws {
        _ = try allows(fieldNumber)
    }

    mutating func visitSingularMessageField<M: Message>(value: M, fieldNumber: Int) throws {
        if try allows(fieldNumber) { try descend(value, name(fieldNumber)) }
    }

    mutating func visitRepeatedMessageField<M: Message>(value: [M], fieldNumber: Int) throws {
        guard try allows(fieldNumber) else { return }
        for (index, element) in value.enumerated() { try descend(element, "\(name(fieldNumber))[\(index)]") }
    }

    mutating func visitMapField<KeyType, ValueType: MapValueType>(
        fieldType: _ProtobufMap<KeyType, ValueType>.Type, value: _ProtobufMap<KeyType, ValueType>.BaseType,
        fieldNumber: Int
    ) throws { _ = try allows(fieldNumber) }

    mutating func visitMapField<KeyType, ValueType>(
        fieldType: _ProtobufEnumMap<KeyType, ValueType>.Type, value: _ProtobufEnumMap<KeyType, ValueType>.BaseType,
        fieldNumber: Int
    ) throws where ValueType.RawValue == Int { _ = try allows(fieldNumber) }

    /// Values of message maps in the decoded messages are packed ones, checked when unpacked, or structs.
    mutating func visitMapField<KeyType, ValueType>(
        fieldType: _ProtobufMessageMap<KeyType, ValueType>.Type,
        value: _ProtobufMessageMap<KeyType, ValueType>.BaseType, fieldNumber: Int
    ) throws { _ = try allows(fieldNumber) }

    mutating func visitUnknown(bytes: Data) throws {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        for byte in bytes.prefix(10) {
            number |= UInt64(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        throw Refusal("", "field \(number >> 3) is not known to this proxy")
    }
}

/// Unpacking of `google.protobuf.Any`.
enum Packed {
    /// The name after the last `/` of the type URL.
    static func typeName(_ any: Google_Protobuf_Any) -> String {
        any.typeURL.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    }

    /// The message, every field of it understood.
    static func unpack<M: Message>(_ any: Google_Protobuf_Any, as type: M.Type) throws(Refusal) -> M {
        guard typeName(any) == M.protoMessageName else {
            throw Refusal("", "expected \(M.protoMessageName), not \(typeName(any))")
        }
        let message: M
        do {
            // The bytes, not `init(unpackingAny:)`, which wants the type to be registered for text formats.
            message = try M(serializedBytes: any.value)
        } catch {
            throw Refusal("", "not a \(M.protoMessageName): \(error)")
        }
        try FieldCheck.check(message)
        return message
    }
}
