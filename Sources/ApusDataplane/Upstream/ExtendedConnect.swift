internal import ApusTraffic

/// Upgrades of HTTP/1.1 (RFC 9110, 7.8) as extended CONNECT of HTTP/2 (RFC 8441) and back.
///
/// Inside the proxy a tunnel always looks like an upgrade of HTTP/1.1: a GET with `upgrade` that is answered with 101.
internal enum ExtendedConnect {
    /// A request to be sent over HTTP/2: `:protocol`, which the caller passes beside the head, takes the place of `upgrade`.
    static func fromUpgrade(_ head: inout HTTPHead) {
        head.methodText = head.store("CONNECT")
        head.method = .connect
        head.remove(.upgrade)
        head.remove(.connection)
        dropEmptyLength(&head)
    }

    /// A request that came over HTTP/2: as an upgrade of HTTP/1.1 would have said it.
    static func toUpgradeRequest(_ head: inout HTTPHead, protocolName: ByteRange) {
        head.methodText = head.store("GET")
        head.method = .get
        head.replace(HeaderToken.upgrade.name, value: protocolName)
    }

    /// An answer that came over HTTP/2: 2xx accepts the tunnel, as 101 does in HTTP/1.1.
    static func toUpgrade(_ head: inout HTTPHead, protocolName: [UInt8]) {
        guard head.status == 200 else { return }
        head.status = 101
        head.replace(.upgrade, protocolName)
        dropEmptyLength(&head)
    }

    /// An answer to be sent over HTTP/2.
    static func fromUpgradeResponse(_ head: inout HTTPHead) {
        if head.status == 101 { head.status = 200 }
        head.remove(.upgrade)
        head.remove(.connection)
        dropEmptyLength(&head)
    }

    private static func dropEmptyLength(_ head: inout HTTPHead) {
        guard let value = head.value(.contentLength) else { return }
        let isZero = head.withBytes(value) { $0.count == 1 && $0.first == UInt8(ascii: "0") }
        if isZero { head.remove(.contentLength) }
    }
}
