public import ApusCore
internal import ApusRegex

/// A cookie to set because a hash policy made it up.
public struct GeneratedCookie: Sendable {
    /// The whole value of the `set-cookie` header.
    public let header: String
}

extension HashPolicy {
    /// The hash of a request by all policies, as Envoy combines them: rotate left by one, then XOR.
    ///
    /// - Parameters:
    ///   - source: the client's address.
    ///   - addresses: text that tells this connection from others; seeds a generated cookie.
    public static func hash(
        _ policies: [HashPolicy], head: HTTPHead, source: IPAddress?, addresses: @autoclosure () -> String,
        cookies: inout [GeneratedCookie]
    ) -> UInt64? {
        var result: UInt64?
        for policy in policies {
            let next: UInt64?
            switch policy.source {
            case .header(let name, let rewrite): next = header(head, name, rewrite)
            case .sourceIP: next = source.map { XXHash64.hash($0.description) }
            case .query(let name):
                next = head.withBytes(head.path) { path in
                    QueryMatch.firstValue(of: name, in: path).map { XXHash64.hash($0) }
                }
            case .cookie(let name, let ttl, let path, let attributes):
                if let value = Cookies.value(name, head) {
                    next = XXHash64.hash(value)
                } else if let ttl {
                    let value = hex(XXHash64.hash(addresses()))
                    cookies.append(.init(header: Cookies.header(name, value, ttl, path, attributes)))
                    next = XXHash64.hash(value)
                } else {
                    next = nil
                }
            }
            if let next {
                let old = result ?? 0
                result = ((old << 1) | (old >> 63)) ^ next
            }
            if policy.terminal, result != nil { break }
        }
        return result
    }

    private static func header(_ head: HTTPHead, _ name: HeaderName, _ rewrite: RegexRewrite?) -> UInt64? {
        guard let first = head.value(name) else { return nil }
        if let rewrite {
            return XXHash64.hash(rewrite.pattern.replacingAll(in: head.text(first), with: rewrite.substitution))
        }
        if name.isPseudo || head.count(name) < 2 { return head.withBytes(first) { XXHash64.hash($0) } }
        // Several values: their order must not matter, so they are sorted and hashed as one.
        var values: [[UInt8]] = []
        var index = 0
        while let found = head.firstIndex(name, from: index) {
            values.append(head.withBytes(head.fields[found].value) { Array($0) })
            index = found + 1
        }
        values.sort { $0.lexicographicallyPrecedes($1) }
        return XXHash64.hash(Array(values.joined()))
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Cookies of requests and responses (RFC 6265).
public enum Cookies {
    /// The value of a cookie in the request; surrounding quotes are not part of it.
    public static func value(_ name: String, _ head: HTTPHead) -> String? {
        var index = 0
        while let found = head.firstIndex(.cookie, from: index) {
            for pair in head.text(head.fields[found].value).split(separator: ";") {
                let pair = pair.drop { $0 == " " }
                guard let equals = pair.firstIndex(of: "="), pair[..<equals] == name else { continue }
                var value = pair[pair.index(after: equals)...]
                if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
                return String(value)
            }
            index = found + 1
        }
        return nil
    }

    static func header(
        _ name: String, _ value: String, _ ttl: Duration, _ path: String, _ attributes: [(name: String, value: String)]
    ) -> String {
        var text = "\(name)=\"\(value)\""
        if ttl > .zero { text += "; Max-Age=\(ttl.components.seconds)" }
        if !path.isEmpty { text += "; Path=\(path)" }
        for attribute in attributes {
            text += attribute.value.isEmpty ? "; \(attribute.name)" : "; \(attribute.name)=\(attribute.value)"
        }
        return text + "; HttpOnly"
    }
}
