/// A domain of trust: who signs within it vouches for every name in it.
package struct TrustDomain: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    /// Lower-case letters, digits, `.`, `-` and `_`, 1 to 255 of them (SPIFFE-ID, section 2.1).
    package init?(_ name: String) {
        let bytes = name.utf8
        guard (1...255).contains(bytes.count),
            bytes.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            })
        else { return nil }
        self.name = name
    }

    package static let clusterLocal = TrustDomain(unchecked: "cluster.local")

    private init(unchecked name: String) { self.name = name }

    package var description: String { name }
}

/// Who a workload is: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` (Istio's form of a SPIFFE ID).
package struct SPIFFEIdentity: Hashable, Sendable, CustomStringConvertible {
    package let trustDomain: TrustDomain
    package let namespace: String
    package let serviceAccount: String

    /// Nil if a part has a character that a SPIFFE path segment may not have, or is `.`, `..` or empty.
    package init?(trustDomain: TrustDomain, namespace: String, serviceAccount: String) {
        guard Self.isSegment(namespace), Self.isSegment(serviceAccount) else { return nil }
        self.trustDomain = trustDomain
        self.namespace = namespace
        self.serviceAccount = serviceAccount
    }

    /// Reads the URI. Exactly four segments, no query, no port, no escape: what is written another way is another name.
    package init?(uri: String) {
        guard uri.utf8.count <= 2048, uri.hasPrefix(Self.scheme) else { return nil }
        let parts = uri.dropFirst(Self.scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[1] == "ns", parts[3] == "sa", let domain = TrustDomain(String(parts[0])) else {
            return nil
        }
        self.init(trustDomain: domain, namespace: String(parts[2]), serviceAccount: String(parts[4]))
    }

    package var uri: String { "\(Self.scheme)\(trustDomain)/ns/\(namespace)/sa/\(serviceAccount)" }
    package var description: String { uri }

    private static let scheme = "spiffe://"

    /// SPIFFE-ID, section 2.2: letters, digits, `.`, `-`, `_`; not `.` or `..`. At most 253, as a Kubernetes name.
    private static func isSegment(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count), text != ".", text != ".." else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
