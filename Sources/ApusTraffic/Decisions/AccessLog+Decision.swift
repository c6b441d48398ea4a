extension AccessLog.Filter {
    /// Is this line written?
    ///
    /// - Parameter request: nil for a raw connection; header filters fail then.
    public func passes(request: HTTPHead?, facts: StreamFacts, draw: Draw) -> Bool {
        switch self {
        case .status(let comparison): return comparison.holds(UInt64(facts.responseCode))
        case .duration(let comparison):
            return comparison.holds(UInt64(max(0, facts.lastDownstreamByte ?? 0) / 1000))
        case .notHealthCheck: return !facts.isHealthCheck
        case .share(let share): return share.contains(draw: draw.derived(Draw.Question.accessLog))
        case .all(let filters): return filters.allSatisfy { $0.passes(request: request, facts: facts, draw: draw) }
        case .any(let filters): return filters.contains { $0.passes(request: request, facts: facts, draw: draw) }
        case .header(let match): return request.map { match.matches($0) } ?? false
        case .flags(let flags): return flags.isEmpty ? !facts.flags.isEmpty : !facts.flags.isDisjoint(with: flags)
        }
    }
}

extension AccessLog.Comparison {
    public func holds(_ observed: UInt64) -> Bool {
        switch self.operator {
        case .equal: observed == value
        case .greaterOrEqual: observed >= value
        case .lessOrEqual: observed <= value
        case .notEqual: observed != value
        }
    }
}

extension AccessLog {
    /// Appends the line. A text says itself where it ends; an object is followed by a line feed.
    public func write(
        into out: inout [UInt8], request: HTTPHead?, response: HTTPHead?, trailers: HTTPHead? = nil, facts: StreamFacts
    ) {
        switch format {
        case .text(let text):
            text.write(into: &out, request: request, response: response, trailers: trailers, facts: facts)
        case .json(let tree):
            tree.write(into: &out, request: request, response: response, trailers: trailers, facts: facts)
            out.append(0x0A)
        }
    }
}

extension FormatTree {
    public func write(
        into out: inout [UInt8], request: HTTPHead?, response: HTTPHead?, trailers: HTTPHead? = nil, facts: StreamFacts
    ) {
        switch self {
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                Self.writeString(Array(member.key.utf8), into: &out)
                out.append(UInt8(ascii: ":"))
                member.value.write(
                    into: &out, request: request, response: response, trailers: trailers, facts: facts)
            }
            out.append(UInt8(ascii: "}"))
        case .array(let items):
            out.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                item.write(into: &out, request: request, response: response, trailers: trailers, facts: facts)
            }
            out.append(UInt8(ascii: "]"))
        case .text(let text): Self.write(text, into: &out, request, response, trailers, facts)
        case .number(let number):
            if let whole = Int64(exactly: number) {
                out.append(contentsOf: String(whole).utf8)
            } else {
                out.append(contentsOf: (number.isFinite ? String(number) : "null").utf8)
            }
        case .bool(let flag): out.append(flag ? "true" : "false")
        case .null: out.append("null")
        }
    }

    /// A single operator keeps its type, and is `null` without a value; anything else is one string.
    private static func write(
        _ text: FormatString, into out: inout [UInt8], _ request: HTTPHead?, _ response: HTTPHead?,
        _ trailers: HTTPHead?, _ facts: StreamFacts
    ) {
        var value: [UInt8] = []
        if text.segments.count == 1, case .value(let only) = text.segments[0] {
            only.write(into: &value, request: request, response: response, trailers: trailers, facts: facts)
            if value.isEmpty { return out.append(text.omitsEmpty ? "\"\"" : "null") }
            if only.isNumber { return out.append(contentsOf: value) }
        } else {
            text.write(into: &value, request: request, response: response, trailers: trailers, facts: facts)
        }
        writeString(value, into: &out)
    }

    /// RFC 8259, section 7; bytes that are no UTF-8 become the replacement character.
    private static func writeString(_ bytes: [UInt8], into out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in String(decoding: bytes, as: UTF8.self).utf8 {
            switch byte {
            case UInt8(ascii: "\""): out.append("\\\"")
            case UInt8(ascii: "\\"): out.append("\\\\")
            case 0x0A: out.append("\\n")
            case 0x0D: out.append("\\r")
            case 0x09: out.append("\\t")
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                out.append("\\u00")
                out.append(digits[Int(byte >> 4)])
                out.append(digits[Int(byte & 15)])
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}
