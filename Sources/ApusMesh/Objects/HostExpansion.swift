internal import ApusCore
internal import ApusModel

/// How the short names in an object of one namespace become full ones (semantics 4.0).
struct NameExpansion {
    let namespace: String
    let domain: String

    /// A name without a dot gets the resource's own namespace; wildcards, IPv6 addresses and names with a dot stay.
    func host(_ text: String) -> String {
        if text.isEmpty || text.utf8.first == UInt8(ascii: "*") { return text }
        if text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }) { return text }
        return Self.serviceHost(text, namespace: namespace, domain: domain)
    }

    static func serviceHost(_ name: String, namespace: String, domain: String) -> String {
        "\(name).\(namespace).svc.\(domain)"
    }

    /// `mesh`, or `namespace/name` from `name`, `./name`, `namespace/name` and the old `name.namespace[.svc...]`.
    func gateway(_ text: String) -> String {
        if text == "mesh" { return text }
        if let slash = text.firstIndex(of: "/") {
            let owner = text[..<slash]
            return owner == "." ? "\(namespace)\(text[slash...])" : text
        }
        let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count > 1 ? "\(parts[1])/\(parts[0])" : "\(namespace)/\(text)"
    }

    func destination(_ destination: Destination) -> Destination {
        var result = destination
        result.host = HostName(host(destination.host)).text
        return result
    }
}

extension Visibility {
    /// `exportTo` of an object in `namespace`; an empty list takes the mesh's default.
    init(_ exportTo: [String], namespace: String, default fallback: [String]) {
        let list = exportTo.isEmpty ? fallback : exportTo
        if list.contains("*") || list.isEmpty {
            self = .all
            return
        }
        let names = Set(list.filter { $0 != "~" }.map { $0 == "." ? namespace : $0 })
        self = names.isEmpty ? .nobody : .namespaces(names)
    }

    /// Everybody who is in `other` is in `self`.
    func isSuperset(of other: Visibility) -> Bool {
        switch (self, other) {
        case (.all, _), (_, .nobody): true
        case (_, .all), (.nobody, _): false
        case (.namespaces(let mine), .namespaces(let theirs)): mine.isSuperset(of: theirs)
        }
    }

    func intersects(_ other: Visibility) -> Bool {
        switch (self, other) {
        case (.nobody, _), (_, .nobody): false
        case (.all, _), (_, .all): true
        case (.namespaces(let mine), .namespaces(let theirs)): !mine.isDisjoint(with: theirs)
        }
    }
}
