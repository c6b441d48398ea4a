internal import ApusAPI

/// The fields of every message that may stand in a configuration, by the names they have in text.
struct Schema: Sendable {
    enum Kind: Hashable, Sendable {
        case string, bytes, bool, int32, int64, uint32, uint64, double, float
        case enumeration(String)
        case message(String)
        /// The public API has the field, this proxy has not.
        case unsupported(isDeprecated: Bool)
    }

    enum Shape: Hashable, Sendable {
        case single
        case list
        case map(key: Kind)
    }

    struct Field: Sendable {
        let name: String
        let number: Int
        let kind: Kind
        let shape: Shape
        let oneof: String?
    }

    struct Message: Sendable {
        fileprivate(set) var fields: [Field] = []
        /// Both spellings of each name: `max_retries` and `maxRetries`.
        fileprivate(set) var indexOfName: [String: Int] = [:]
    }

    private(set) var messages: [String: Message] = [:]
    private(set) var enums: [String: [String: Int32]] = [:]

    static let shared = Schema(MessageSchema.text.withUTF8Buffer { String(decoding: $0, as: UTF8.self) })

    init(_ text: String) {
        var message: String?
        var enumeration: String?
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let first = line.first else { continue }
            if first == UInt8(ascii: "=") {
                message = String(decoding: line.dropFirst(), as: UTF8.self)
                enumeration = nil
                if let message { messages[message] = Message() }
                continue
            }
            if first == UInt8(ascii: "#") {
                enumeration = String(decoding: line.dropFirst(), as: UTF8.self)
                message = nil
                continue
            }
            let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            if let enumeration, words.count == 2, let number = Int32(words[1]) {
                enums[enumeration, default: [:]][words[0]] = number
            } else if let message, words.count >= 3, let number = Int(words[1]) {
                let (kind, shape) = Self.type(words[2])
                let field = Field(
                    name: words[0], number: number, kind: kind, shape: shape, oneof: words.count > 3 ? words[3] : nil)
                let index = messages[message, default: Message()].fields.count
                messages[message, default: Message()].fields.append(field)
                messages[message, default: Message()].indexOfName[field.name] = index
                messages[message, default: Message()].indexOfName[Self.jsonName(field.name)] = index
            }
        }
    }

    private static func type(_ text: String) -> (Kind, Shape) {
        var text = text[...]
        var shape = Shape.single
        if text.hasPrefix("*") {
            text = text.dropFirst()
            shape = .list
        } else if text.hasPrefix("%") {
            text = text.dropFirst()
            shape = .map(key: scalar(text.prefix(1)))
            text = text.dropFirst()
        }
        if text.hasPrefix("e:") { return (.enumeration(String(text.dropFirst(2))), shape) }
        if text.hasPrefix("m:") { return (.message(String(text.dropFirst(2))), shape) }
        return (scalar(text), shape)
    }

    private static func scalar(_ text: Substring) -> Kind {
        switch text {
        case "y": .bytes
        case "b": .bool
        case "i": .int32
        case "l": .int64
        case "u": .uint32
        case "v": .uint64
        case "d": .double
        case "f": .float
        case "-": .unsupported(isDeprecated: false)
        case "~": .unsupported(isDeprecated: true)
        default: .string
        }
    }

    /// Protobuf's other spelling of a field's name.
    private static func jsonName(_ name: String) -> String {
        var result: [UInt8] = []
        var raise = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                raise = true
            } else {
                let isLower = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
                result.append(raise && isLower ? byte - 0x20 : byte)
                raise = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
