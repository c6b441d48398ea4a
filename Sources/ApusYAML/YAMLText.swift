internal import ApusCore

/// Questions about the raw text that are answered before, or beside, the parser.
enum YAMLText {
    struct BadByte {
        let offset: Int
        let message: String
        let hint: String?
    }

    /// The first byte that cannot stand in a manifest: invalid UTF-8, or a control character YAML does not allow.
    static func firstBadByte(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> BadByte? {
        var offset = start
        let count = bytes.count
        while offset < count {
            let byte = bytes[offset]
            if byte < 0x80 {
                if byte < 0x20, byte != 0x09, byte != 0x0A, byte != 0x0D {
                    return BadByte(
                        offset: offset,
                        message: byte == 0
                            ? "the file contains a NUL byte" : "the file contains the control character \(hex(byte))",
                        hint: byte == 0
                            ? "save the file as UTF-8 text"
                            : "remove the character, or write it as \\x"
                                + hexDigits(byte) + " in double quotes")
                }
                if byte == 0x7F {
                    return BadByte(offset: offset, message: "the file contains the control character 0x7f", hint: nil)
                }
                offset += 1
                continue
            }
            let length = sequenceLength(bytes, offset)
            guard length > 0 else {
                return BadByte(
                    offset: offset, message: "the byte \(hex(byte)) is not valid UTF-8",
                    hint: "save the file as UTF-8 text")
            }
            offset += length
        }
        return nil
    }

    /// Bytes of the well-formed sequence at `offset` (RFC 3629), 0 if it is not one.
    private static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Int {
        func continuation(_ distance: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            offset + distance < bytes.count && range.contains(bytes[offset + distance])
        }
        switch bytes[offset] {
        case 0xC2...0xDF: return continuation(1) ? 2 : 0
        case 0xE0: return continuation(1, 0xA0...0xBF) && continuation(2) ? 3 : 0
        case 0xED: return continuation(1, 0x80...0x9F) && continuation(2) ? 3 : 0
        case 0xE1...0xEF: return continuation(1) && continuation(2) ? 3 : 0
        case 0xF0: return continuation(1, 0x90...0xBF) && continuation(2) && continuation(3) ? 4 : 0
        case 0xF1...0xF3: return continuation(1) && continuation(2) && continuation(3) ? 4 : 0
        case 0xF4: return continuation(1, 0x80...0x8F) && continuation(2) && continuation(3) ? 4 : 0
        default: return 0
        }
    }

    /// Line and column (in characters) of a byte.
    static func position(of offset: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Position {
        var line = 1
        var lineStart = 0
        var index = 0
        let end = min(offset, bytes.count)
        while index < end {
            if isLineEnd(bytes, index) {
                line += 1
                lineStart = index + 1
            }
            index += 1
        }
        var column = 1
        for index in lineStart..<max(lineStart, end) where bytes[index] & 0xC0 != 0x80 { column += 1 }
        return Position(line: line, column: column)
    }

    /// Offset of the first byte of a line that comes `lines` lines after the one that begins at `start`.
    static func offset(ofLine lines: Int, from start: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var left = lines
        var index = start
        while left > 0, index < bytes.count {
            if isLineEnd(bytes, index) { left -= 1 }
            index += 1
        }
        return index
    }

    /// Offset of the next line at or after `start` (itself the start of a line) that is a document marker `---`, and
    /// the number of lines passed. The marker ends any construct of YAML, so reading can begin anew there.
    static func nextDocument(from start: Int, in bytes: UnsafeBufferPointer<UInt8>) -> (offset: Int, lines: Int)? {
        var index = start
        var lines = 0
        while index < bytes.count {
            if isMarker(bytes, index) { return (index, lines) }
            while index < bytes.count, !isLineEnd(bytes, index) { index += 1 }
            index += 1
            lines += 1
        }
        return nil
    }

    private static func isMarker(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        guard index + 3 <= bytes.count else { return false }
        for distance in 0..<3 where bytes[index + distance] != UInt8(ascii: "-") { return false }
        guard index + 3 < bytes.count else { return true }
        return [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index + 3])
    }

    /// True at the last byte of `\n`, `\r\n` or `\r`.
    private static func isLineEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        let byte = bytes[index]
        if byte == 0x0A { return true }
        return byte == 0x0D && (index + 1 >= bytes.count || bytes[index + 1] != 0x0A)
    }

    /// JSON writes characters beyond 16 bits as two `\u` escapes, which YAML does not know. In a JSON text each such
    /// pair becomes one `\U` escape; nil if there is none.
    static func joiningSurrogates(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard let first = bytes.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }),
            first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        else { return nil }
        var result: [UInt8]?
        var copied = 0
        var index = 0
        while index + 1 < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            if let high = escape(bytes, index), (0xD800...0xDBFF).contains(high), let low = escape(bytes, index + 6),
                (0xDC00...0xDFFF).contains(low)
            {
                let scalar = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
                let digits = String(scalar, radix: 16)
                var out = result ?? []
                out.append(contentsOf: bytes[copied..<index])
                out.append(contentsOf: "\\U".utf8)
                out.append(contentsOf: String(repeating: "0", count: 8 - digits.count).utf8)
                out.append(contentsOf: digits.utf8)
                result = out
                index += 12
                copied = index
            } else {
                index += 2
            }
        }
        result?.append(contentsOf: bytes[copied...])
        return result
    }

    /// The number of `\uXXXX` at `index`.
    private static func escape(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> UInt32? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        return UInt32(String(decoding: bytes[index + 2..<index + 6], as: UTF8.self), radix: 16)
    }

    private static func hex(_ byte: UInt8) -> String { "0x" + hexDigits(byte) }

    private static func hexDigits(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
