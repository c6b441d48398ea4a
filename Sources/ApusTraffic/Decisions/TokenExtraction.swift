internal import ApusCore
internal import ApusIdentity

/// A token as it was found.
struct FoundToken {
    let text: [UInt8]
    let place: TokenSearch.Place
}

extension TokenSearch {
    /// In the order of the places; of a header that comes several times every field counts.
    func tokens(in head: HTTPHead) -> [FoundToken] {
        var found: [FoundToken] = []
        for place in places {
            switch place.location {
            case .header(let name, let prefix):
                for value in Self.values(of: name, in: head) {
                    if let text = Self.after(prefix, in: value) { found.append(FoundToken(text: text, place: place)) }
                }
            case .query(let name):
                if let text = QueryText.firstValue(of: name, in: head) {
                    found.append(FoundToken(text: text, place: place))
                }
            case .cookie(let name):
                if let text = Cookies.value(name, head) {
                    found.append(FoundToken(text: Array(text.utf8), place: place))
                }
            }
        }
        return found
    }

    /// Several fields `authorization` are one value to Envoy, and two tokens so none.
    private static func values(of name: HeaderName, in head: HTTPHead) -> [[UInt8]] {
        if name.isPseudo || name.token == .host { return [] }
        var values: [[UInt8]] = []
        var index = 0
        while let next = head.firstIndex(name, from: index) {
            index = next + 1
            values.append(head.withBytes(head.fields[next].value) { Array($0) })
        }
        guard name.token == .authorization, values.count > 1 else { return values }
        return [Array(values.joined(separator: [UInt8(ascii: ",")]))]
    }

    /// What follows the prefix, from the first letter of base64url on; nil without the prefix. The prefix may stand
    /// anywhere, as with Envoy.
    static func after(_ prefix: [UInt8], in value: [UInt8]) -> [UInt8]? {
        if prefix.isEmpty { return value }
        guard value.count >= prefix.count,
            let start = (0...(value.count - prefix.count)).first(where: {
                value[$0..<$0 + prefix.count].elementsEqual(prefix)
            })
        else { return nil }
        let rest = value[(start + prefix.count)...]
        return rest.firstIndex(where: isTokenByte).map { Array(value[$0...]) } ?? value
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}

extension TokenLocation {
    /// Takes the token out of the request. Cookies stay whole, as with Envoy.
    public func remove(from head: inout HTTPHead) {
        switch self {
        case .header(let name, _): head.remove(name)
        case .query(let name): QueryText.remove(name, from: &head)
        case .cookie: break
        }
    }
}

/// Parameters of a request's query, percent encoding undone.
enum QueryText {
    private static func pairs(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
    }

    /// Ranges of `:path`: where the query begins after its question mark, and where it ends.
    private static func query(_ path: [UInt8]) -> Range<Int>? {
        let end = path.firstIndex(of: UInt8(ascii: "#")) ?? path.count
        guard let mark = path[..<end].firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return (mark + 1)..<end
    }

    private static func split(_ pair: ArraySlice<UInt8>) -> (name: [UInt8], value: [UInt8]) {
        guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { return (decoded(pair), []) }
        return (decoded(pair[..<equals]), decoded(pair[(equals + 1)...]))
    }

    static func firstValue(of name: [UInt8], in head: HTTPHead) -> [UInt8]? {
        let path = head.withBytes(head.path) { Array($0) }
        guard let query = query(path) else { return nil }
        for pair in pairs(path[query]) {
            let (key, value) = split(pair)
            if key == name { return value }
        }
        return nil
    }

    /// The other parameters stay as they are written; a query that is empty then goes with its mark.
    static func remove(_ name: [UInt8], from head: inout HTTPHead) {
        let path = head.withBytes(head.path) { Array($0) }
        guard let query = query(path) else { return }
        let kept = pairs(path[query]).filter { split($0).name != name }
        var new = Array(path[..<(query.lowerBound - 1)])
        if !kept.isEmpty { new += [UInt8(ascii: "?")] + kept.joined(separator: [UInt8(ascii: "&")]) }
        new += path[query.upperBound...]
        head.path = head.store(new)
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard text.contains(UInt8(ascii: "%")) else { return Array(text) }
        var out: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.endIndex, let high = digit(text[index + 1]),
                let low = digit(text[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(text[index])
                index += 1
            }
        }
        return out
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
