/// An IPv4 or IPv6 address by value; IPv4 is kept in the low 32 bits.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    public enum Family: Hashable, Sendable { case v4, v6 }

    public let family: Family
    /// Network order, as one number.
    public let bits: UInt128

    public init(v4 bits: UInt32) {
        family = .v4
        self.bits = UInt128(bits)
    }

    public init(v6 bits: UInt128) {
        family = .v6
        self.bits = bits
    }

    /// Dotted decimal without leading zeros, or RFC 4291 text; nil for anything else (zone ids are not accepted).
    /// Four or sixteen bytes in the order of the network.
    public init?(networkBytes bytes: [UInt8]) {
        switch bytes.count {
        case 4: self.init(v4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16: self.init(v6: bytes.reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }

    public init?(_ text: some StringProtocol) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let bits = Self.parse6(text) else { return nil }
            self.init(v6: bits)
        } else {
            guard let bits = Self.parse4(text) else { return nil }
            self.init(v4: bits)
        }
    }

    public var isLoopback: Bool {
        switch family {
        case .v4: bits >> 24 == 127
        case .v6: bits == 1
        }
    }

    public var isUnspecified: Bool { bits == 0 }

    private static func parse4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var result: UInt32 = 0
        for part in parts {
            guard let first = part.first, part.count <= 3, part.count == 1 || first != UInt8(ascii: "0") else {
                return nil
            }
            var number: UInt32 = 0
            for digit in part {
                guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
                number = number * 10 + UInt32(digit - UInt8(ascii: "0"))
            }
            guard number <= 255 else { return nil }
            result = result << 8 | number
        }
        return result
    }

    private static func parse6(_ text: some StringProtocol) -> UInt128? {
        guard text.utf8.count <= 45 else { return nil }
        let string = String(text)
        let halves = string.components(separatedByDoubleColon: ())
        guard let halves else { return nil }
        func groups(_ half: Substring) -> [UInt16]? {
            if half.isEmpty { return [] }
            var result: [UInt16] = []
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() {
                if index == parts.count - 1, part.contains(".") {
                    guard let low = parse4(part) else { return nil }
                    result.append(UInt16(low >> 16))
                    result.append(UInt16(low & 0xffff))
                } else {
                    guard !part.isEmpty, part.utf8.count <= 4, part.allSatisfy(\.isHexDigit),
                        let group = UInt16(part, radix: 16)
                    else { return nil }
                    result.append(group)
                }
            }
            return result
        }
        guard let head = groups(halves.head) else { return nil }
        var all = head
        if let tailText = halves.tail {
            guard let tail = groups(tailText), head.count + tail.count <= 7 else { return nil }
            all += Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        }
        guard all.count == 8 else { return nil }
        return all.reduce(into: UInt128(0)) { $0 = $0 << 16 | UInt128($1) }
    }

    public var description: String {
        switch family {
        case .v4:
            let bits = UInt32(truncatingIfNeeded: bits)
            return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        case .v6:
            return Self.print6(bits)
        }
    }

    /// RFC 5952 text: the longest run of two or more zero groups is shortened.
    private static func print6(_ bits: UInt128) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        var best = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index >= 2, end - index > best.count { best = index..<end }
            index = max(end, index + 1)
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }
}

extension String {
    /// The parts around the one `::`, or the whole text; nil if there is more than one.
    fileprivate func components(separatedByDoubleColon: ()) -> (head: Substring, tail: Substring?)? {
        let bytes = Array(utf8)
        var at: Int?
        var index = 0
        while index + 1 < bytes.count {
            if bytes[index] == UInt8(ascii: ":"), bytes[index + 1] == UInt8(ascii: ":") {
                guard at == nil else { return nil }
                at = index
                index += 2
            } else {
                index += 1
            }
        }
        guard let at else { return (self[...], nil) }
        let start = utf8.index(startIndex, offsetBy: at)
        let end = utf8.index(start, offsetBy: 2)
        return (self[..<start], self[end...])
    }
}

/// An address range: `10.0.0.0/8`. Host bits are kept as written but do not matter for `contains`.
public struct CIDR: Hashable, Sendable, CustomStringConvertible {
    public let address: IPAddress
    public let prefixLength: Int

    public init(address: IPAddress, prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }

    /// `address/length`, or a single address, which means all its bits.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let address = IPAddress(first) else { return nil }
        let most = address.family == .v4 ? 32 : 128
        if parts.count == 2 {
            guard parts[1].allSatisfy(\.isNumber), let length = Int(parts[1]), length >= 0, length <= most else {
                return nil
            }
            self.init(address: address, prefixLength: length)
        } else {
            self.init(address: address, prefixLength: most)
        }
    }

    public func contains(_ other: IPAddress) -> Bool {
        guard other.family == address.family else { return false }
        let most = address.family == .v4 ? 32 : 128
        let shift = UInt128(most - prefixLength)
        return shift >= 128 || address.bits >> shift == other.bits >> shift
    }

    public var description: String { "\(address)/\(prefixLength)" }
}
