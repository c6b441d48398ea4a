extension HeaderMatch {
    public func matches(_ head: HTTPHead) -> Bool {
        let known = head.anyValue(name) { passes($0) }
        switch test {
        case .present: return (treatsMissingAsEmpty || known != nil) != inverted
        case .absent: return (!treatsMissingAsEmpty && known == nil) != inverted
        case .string, .range:
            if let known { return known != inverted }
            guard treatsMissingAsEmpty else { return false }
            return passes(UnsafeRawBufferPointer(start: nil, count: 0)) != inverted
        }
    }

    /// One value on its own.
    private func passes(_ value: UnsafeRawBufferPointer) -> Bool {
        switch test {
        case .present, .absent: true
        case .string(let match): match.matches(value)
        case .range(let from, let until): Decimal.signed(value).map { $0 >= from && $0 < until } ?? false
        }
    }
}

/// Decimal numbers in header values. Nothing but digits and a sign is a number; what does not fit is none.
public enum Decimal {
    public static func unsigned(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard !bytes.isEmpty, bytes.count <= 20 else { return nil }
        var result: UInt64 = 0
        for byte in bytes {
            let digit = byte &- 0x30
            guard digit < 10 else { return nil }
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            result = sum
        }
        return result
    }

    public static func signed(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard let first = bytes.first else { return nil }
        let negative = first == UInt8(ascii: "-")
        let digits = negative ? UnsafeRawBufferPointer(rebasing: bytes.dropFirst()) : bytes
        guard let number = unsigned(digits) else { return nil }
        if negative { return number <= UInt64(Int64.max) + 1 ? 0 &- Int64(bitPattern: number) : nil }
        return Int64(exactly: number)
    }
}

extension QueryMatch {
    /// - Parameter path: `:path` with its query; parameters are compared as sent, without percent decoding.
    public func matches(path: UnsafeRawBufferPointer) -> Bool {
        guard let found = Self.firstValue(of: name, in: path) else { return false }
        return value.map { $0.matches(found) } ?? true
    }

    /// First value of a query parameter; empty without `=`.
    public static func firstValue(of name: [UInt8], in path: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let question = path.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        var start = question + 1
        while start <= path.count {
            var end = start
            var equals: Int?
            while end < path.count, path[end] != UInt8(ascii: "&"), path[end] != UInt8(ascii: "#") {
                if equals == nil, path[end] == UInt8(ascii: "=") { equals = end }
                end &+= 1
            }
            let nameEnd = equals ?? end
            if nameEnd &- start == name.count, !(0..<name.count).contains(where: { path[start &+ $0] != name[$0] }) {
                return UnsafeRawBufferPointer(rebasing: path[(equals.map { $0 + 1 } ?? end)..<end])
            }
            if end < path.count, path[end] == UInt8(ascii: "#") { return nil }
            start = end &+ 1
        }
        return nil
    }
}
