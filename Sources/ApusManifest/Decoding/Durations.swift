internal import ApusYAML

extension Duration: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Duration? {
        guard node.kind == .scalar, case .string = node.scalar, let value = Duration(manifestText: node.text) else {
            var hint = "write a number and a unit: 1.5s, 10ms, 1h"
            if case .integer = node.scalar { hint = "write \(node.text)s for seconds" }
            decoding.wrongType(node, expected: "a duration", hint: hint)
            return nil
        }
        return value
    }

    /// `1.5s`, `10ms`, `1h30m`: decimal numbers with units h, m, s, ms, us, ns, as Istio's manifests write them.
    /// Negative durations and those beyond protobuf's range are refused.
    init?(manifestText text: String) {
        var total: Int128 = 0
        let bytes = Array(text.utf8)
        guard bytes.count <= 40 else { return nil }
        if bytes == [UInt8(ascii: "0")] {
            self = .zero
            return
        }
        var index = 0
        guard !bytes.isEmpty else { return nil }
        while index < bytes.count {
            // The number as an integer and a power of ten.
            var number: Int128 = 0
            var scale: Int128 = 1
            var digits = 0
            var isFraction = false
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "."), !isFraction {
                    isFraction = true
                } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                    digits += 1
                    guard digits <= 18 else { return nil }
                    number = number * 10 + Int128(byte - UInt8(ascii: "0"))
                    if isFraction { scale *= 10 }
                } else {
                    break
                }
                index += 1
            }
            guard digits > 0 else { return nil }
            let start = index
            while index < bytes.count, bytes[index] != UInt8(ascii: "."),
                !(bytes[index] >= UInt8(ascii: "0") && bytes[index] <= UInt8(ascii: "9"))
            {
                index += 1
            }
            let nanoseconds: Int128
            switch String(decoding: bytes[start..<index], as: UTF8.self) {
            case "h": nanoseconds = 3_600_000_000_000
            case "m": nanoseconds = 60_000_000_000
            case "s": nanoseconds = 1_000_000_000
            case "ms": nanoseconds = 1_000_000
            case "us", "µs", "μs": nanoseconds = 1000
            case "ns": nanoseconds = 1
            default: return nil
            }
            total += number * nanoseconds / scale
        }
        // Protobuf's Duration reaches 315,576,000,000 s.
        guard total <= 315_576_000_000 * 1_000_000_000 else { return nil }
        self = Duration(
            secondsComponent: Int64(total / 1_000_000_000),
            attosecondsComponent: Int64(total % 1_000_000_000) * 1_000_000_000)
    }
}
