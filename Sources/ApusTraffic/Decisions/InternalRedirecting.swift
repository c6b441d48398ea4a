/// What a request that the proxy redirects itself remembers from one round to the next.
public struct InternalRedirectState: Sendable {
    public private(set) var count: UInt32 = 0
    /// Pairs of the route that redirected and the one that it led to.
    private var taken: [(from: String, to: String)] = []

    public init() {}

    fileprivate func hasTaken(_ from: String, _ to: String) -> Bool {
        taken.contains { $0.from == from && $0.to == to }
    }

    fileprivate mutating func follow(_ from: String, _ to: String) {
        count += 1
        // The number of rounds is bounded by the policy; memory is, too.
        if taken.count < 64 { taken.append((from, to)) }
    }
}

extension InternalRedirectPolicy {
    /// Why a redirect goes to the client after all.
    public enum Objection: Hashable, Sendable {
        case badLocation, unsafeScheme, tooMany, noRoute, predicate
    }

    /// Turns a request into the one that its redirect asks for.
    ///
    /// - Parameters:
    ///   - request: as it was sent upstream; changed only if there is no objection.
    ///   - response: the redirect.
    ///   - route: finds the name of the route of the new request; nil: none.
    /// - Returns: nil if the request is now the new one.
    public func follow(
        _ request: inout HTTPHead, response: HTTPHead, routeName: String, state: inout InternalRedirectState,
        route: (HTTPHead) -> String?
    ) -> Objection? {
        guard let location = response.value(.location), !location.isEmpty,
            let target = response.withBytes(location, Self.parse)
        else { return .badLocation }
        let wasSecure = request.text(request.scheme) == "https"
        if !allowsCrossScheme, wasSecure != target.isSecure { return .unsafeScheme }
        guard state.count < maxRedirects else { return .tooMany }
        var new = request
        let original =
            "\(request.text(request.scheme))://\(request.text(request.authority))\(request.text(request.path))"
        new.replace(Self.originalURL, value: new.store(original))
        new.authority = new.store(target.authority)
        new.path = new.store(target.path)
        new.scheme = new.store(target.isSecure ? "https" : "http" as StaticString)
        for name in copiedHeaders {
            new.remove(name)
            var index = 0
            while let found = response.firstIndex(name, from: index) {
                new.append(name, response.withBytes(response.fields[found].value) { Array($0) })
                index = found + 1
            }
        }
        guard let found = route(new) else { return .noRoute }
        for predicate in predicates {
            switch predicate {
            case .previousRoutes: if state.hasTaken(routeName, found) { return .predicate }
            case .allowedRoutes(let names): if !names.contains(found) { return .predicate }
            case .safeCrossScheme: if !wasSecure, target.isSecure { return .predicate }
            }
        }
        if response.status == 303, new.method != .get, new.method != .head {
            new.replace(.method, "GET" as StaticString)
            new.remove(.contentLength)
            new.remove(.transferEncoding)
        }
        state.follow(routeName, found)
        request = new
        return nil
    }

    private static let originalURL = HeaderName("x-envoy-original-url")

    /// `http://host/path?query`; a fragment is not part of a request.
    private static func parse(
        _ bytes: UnsafeRawBufferPointer
    ) -> (isSecure: Bool, authority: [UInt8], path: [UInt8])? {
        let text = String(decoding: bytes, as: UTF8.self)
        let rest: Substring
        let isSecure: Bool
        if text.lowercased().hasPrefix("http://") {
            rest = text.dropFirst(7)
            isSecure = false
        } else if text.lowercased().hasPrefix("https://") {
            rest = text.dropFirst(8)
            isSecure = true
        } else {
            return nil
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = Array(rest[..<end].utf8)
        // User information has no place in an authority that is sent on.
        guard !authority.isEmpty, authority.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "@") }) else {
            return nil
        }
        var path = Array(rest[end...].prefix { $0 != "#" }.utf8)
        if path.first != UInt8(ascii: "/") { path.insert(UInt8(ascii: "/"), at: 0) }
        guard path.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        return (isSecure, authority, path)
    }
}
