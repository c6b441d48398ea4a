package import SwiftProtobuf

/// Same message, same bytes: maps are written in the order of their keys.
private let deterministic: BinaryEncodingOptions = {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    return options
}()

/// The message's bytes. Encoding fails only for missing proto2 fields, which these messages do not have, and beyond
/// 2 GiB, which the limits on input exclude.
private func bytes<Bytes: SwiftProtobufContiguousBytes>(of message: some Message) -> Bytes {
    do {
        return try message.serializedBytes(options: deterministic)
    } catch {
        preconditionFailure("a compiled message cannot be encoded: \(error)")
    }
}

/// A serialized `google.protobuf.Any` of the message: equal messages give equal bytes.
package func encode<M: Message>(_ message: M, typeURL: String) -> [UInt8] {
    let body: [UInt8] = bytes(of: message)
    let url = Array(typeURL.utf8)
    var out: [UInt8] = []
    out.reserveCapacity(body.count + url.count + 12)
    if !url.isEmpty { append(field: 1, url, to: &out) }
    if !body.isEmpty { append(field: 2, body, to: &out) }
    return out
}

/// One length-delimited protobuf field.
private func append(field: UInt8, _ bytes: [UInt8], to out: inout [UInt8]) {
    out.append(field << 3 | 2)
    var rest = UInt(bytes.count)
    while rest >= 0x80 {
        out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: rest))
    out += bytes
}

extension Google_Protobuf_Any {
    /// The message under its own type URL, encoded deterministically.
    package static func packing<M: Message>(_ message: M) -> Google_Protobuf_Any {
        var any = Google_Protobuf_Any()
        any.typeURL = "type.googleapis.com/" + M.protoMessageName
        any.value = bytes(of: message)
        return any
    }
}
