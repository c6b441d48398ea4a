internal import ApusTraffic
internal import NIOCore

/// What the first bytes of a connection tell: TLS with its server name and protocols, HTTP, or neither.
internal struct SniffedFacts: Sendable {
    var wantsTLS = false
    var wantsHTTP = false
    var isTLS = false
    var serverName = ""
    var applicationProtocols: [String] = []

    /// - Returns: true when no further byte can change the verdict.
    mutating func feed(_ bytes: ByteBuffer) -> Bool {
        guard bytes.readableBytes > 0 else { return false }
        if wantsTLS {
            switch bytes.withUnsafeReadableBytes({ TLSSniff.inspect($0) }) {
            case .needMore: return false
            case .notTLS: break
            case .clientHello(let name, let protocols):
                isTLS = true
                serverName = name
                applicationProtocols = protocols
                return true
            }
        }
        guard wantsHTTP else { return true }
        let verdict = bytes.withUnsafeReadableBytes { HTTPSniff.inspect($0) }
        if case .needMore = verdict { return false }
        if let name = verdict.applicationProtocol { applicationProtocols = [name] }
        return true
    }
}
