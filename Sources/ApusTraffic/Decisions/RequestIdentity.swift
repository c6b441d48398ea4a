public import ApusCore

/// What the connection says about a request.
public struct ConnectionIdentity: Sendable {
    public var remoteAddress: IPAddress?
    public var localAddress: IPAddress?
    public var localPort: UInt16
    /// What the handshake told; nil: the client does not speak TLS to this proxy.
    public var tls: ConnectionTLS?

    public var isSecure: Bool { tls != nil }

    public init(
        remoteAddress: IPAddress?, localAddress: IPAddress?, localPort: UInt16 = 0, tls: ConnectionTLS? = nil
    ) {
        self.remoteAddress = remoteAddress
        self.localAddress = localAddress
        self.localPort = localPort
        self.tls = tls
    }
}

/// Who the request is from, found while its headers are put in order.
public struct RequestIdentity: Sendable {
    /// The client the request is trusted to come from.
    public let clientAddress: IPAddress?
    /// Exactly one address in `x-forwarded-for`, and an internal one.
    public let isInternal: Bool
    /// `x-forwarded-proto` says https.
    public let isSecure: Bool
    /// The client's address was demanded and not found: the answer's status.
    public let rejection: UInt16?

    public init(clientAddress: IPAddress?, isInternal: Bool, isSecure: Bool, rejection: UInt16? = nil) {
        self.rejection = rejection
        self.clientAddress = clientAddress
        self.isInternal = isInternal
        self.isSecure = isSecure
    }
}

extension HTTPConnectionManager {
    /// Puts the headers of a request that has just been parsed in order: hop-by-hop headers, `x-forwarded-*`,
    /// `x-request-id`, `x-envoy-*`, `via` and client certificates. The codec must have read its framing before.
    ///
    /// - Parameters:
    ///   - isUpgrade: the request keeps `connection` and `upgrade`.
    ///   - internalOnlyHeaders: of the route table.
    public func prepare(
        _ head: inout HTTPHead, connection: ConnectionIdentity, isUpgrade: Bool, internalOnlyHeaders: [HeaderName] = [],
        random: inout SeededRandom
    ) -> RequestIdentity {
        if !isUpgrade {
            head.remove(Self.upgradeFields)
            Self.keepTrailersInTE(&head)
        }
        head.remove(Self.ownFields)

        let received = ForwardedFor(head)
        let client: IPAddress?
        var mayBeInternal: Bool?
        if identity.usesRemoteAddress {
            client =
                identity.trustedHops == 0
                ? connection.remoteAddress
                : received.address(fromRight: Int(clamping: identity.trustedHops) - 1) ?? connection.remoteAddress
            if !identity.skipsForwardedForAppend {
                let remote = connection.remoteAddress
                if let seen = remote?.isLocalhost ?? true ? connection.localAddress : remote {
                    Self.appendToList(&head, .xForwardedFor, Array(seen.description.utf8))
                }
            }
            if identity.trustedHops == 0 || !head.contains(.xForwardedProto) {
                head.replace(.xForwardedProto, connection.isSecure ? "https" : "http" as StaticString)
            }
            if identity.appendsForwardedPort, identity.trustedHops == 0 || !head.contains(.xForwardedPort) {
                head.replace(.xForwardedPort, decimal: UInt64(connection.localPort))
            }
        } else {
            if identity.detections.isEmpty {
                client = received.address(fromRight: Int(clamping: identity.trustedHops)) ?? connection.remoteAddress
            } else {
                let found = detect(head, received, connection)
                if let status = found.rejection {
                    return RequestIdentity(clientAddress: nil, isInternal: false, isSecure: false, rejection: status)
                }
                client = found.address ?? connection.remoteAddress
                if found.address != nil { mayBeInternal = found.isTrusted }
            }
            if !head.contains(.xForwardedProto) {
                head.append(.xForwardedProto, connection.isSecure ? "https" : "http" as StaticString)
            }
        }
        let secure =
            head.value(.xForwardedProto).map { range in
                head.withBytes(range) { bytes in
                    let wanted: StaticString = "https"
                    return wanted.withUTF8Buffer { ASCII.equalIgnoringCase(UnsafeRawBufferPointer($0), bytes) }
                }
            } ?? false
        if let scheme = identity.schemeOverwrite {
            head.scheme = head.store(scheme)
        } else if head.scheme.isEmpty {
            head.scheme = head.store(secure ? "https" : "http" as StaticString)
        }

        // The client itself, or one proxy on its behalf: a longer list may be made up.
        let isInternal =
            (mayBeInternal ?? (received.count == (identity.usesRemoteAddress ? 0 : 1)))
            && (client.map(isInternalAddress) ?? false)
        let isEdge = !isInternal && identity.usesRemoteAddress
        if isInternal {
            head.replace(.xEnvoyInternal, "true" as StaticString)
        } else {
            if isEdge {
                head.remove(Self.edgeOnlyRemovals)
                if let client { head.replace(.xEnvoyExternalAddress, client.description) }
            }
            head.remove(Self.externalRemovals)
            for name in internalOnlyHeaders { head.remove(name) }
        }
        if !identity.via.isEmpty { Self.appendToList(&head, .via, Array(identity.via.utf8)) }
        if identity.generatesRequestID {
            let replaces = isEdge && !identity.preservesExternalRequestID
            if replaces || !head.contains(.xRequestID) {
                RequestID.replace(&head, random: &random)
            }
        }
        forwardClientCertificate(&head, connection.tls)
        return RequestIdentity(clientAddress: client, isInternal: isInternal, isSecure: secure)
    }

    /// - Returns: the address, whether it may count as internal, and the status of a rejection.
    private func detect(
        _ head: HTTPHead, _ received: ForwardedFor, _ connection: ConnectionIdentity
    ) -> (address: IPAddress?, isTrusted: Bool, rejection: UInt16?) {
        for detection in identity.detections {
            switch detection {
            case .hops(let hops):
                if let address = received.address(fromRight: Int(clamping: hops)) {
                    return (address, received.count == 1, nil)
                }
            case .trusted(let ranges):
                guard let peer = connection.remoteAddress, ranges.contains(where: { $0.contains(peer) }) else {
                    continue
                }
                var last: IPAddress?
                for index in 0..<received.count {
                    // An entry that cannot be read ends the search: what is left of it is anybody's word.
                    guard let address = received.address(fromRight: index) else {
                        last = nil
                        break
                    }
                    last = address
                    if !ranges.contains(where: { $0.contains(address) }) { break }
                }
                if let last { return (last, received.count == 1, nil) }
            case .header(let name, let isTrusted, let rejection):
                if let range = head.value(name), let address = IPAddress(head.text(range)) {
                    return (address, isTrusted, nil)
                }
                if let rejection { return (nil, false, rejection) }
            }
        }
        return (nil, false, nil)
    }

    private func isInternalAddress(_ address: IPAddress) -> Bool {
        identity.internalRanges.contains { $0.contains(address) }
    }

    /// From any request that is not internal.
    private static let externalRemovals = HeaderTokenSet([
        .xEnvoyRetryOn, .xEnvoyRetryGRPCOn, .xEnvoyMaxRetries, .xEnvoyRetriableStatusCodes,
        .xEnvoyRetriableHeaderNames, .xEnvoyUpstreamAltStatName, .xEnvoyUpstreamRequestTimeout,
        .xEnvoyUpstreamRequestPerTryTimeout, .xEnvoyUpstreamRequestTimeoutAltResponse, .xEnvoyExpectedRequestTimeout,
        .xEnvoyForceTrace, .xEnvoyIPTags, .xEnvoyHedgeOnPerTryTimeout,
    ])

    private static let edgeOnlyRemovals = HeaderTokenSet([
        .xEnvoyDecoratorOperation, .xEnvoyDownstreamServiceCluster, .xEnvoyDownstreamServiceNode,
        .xEnvoyOriginalPath,
    ])

    private static let upgradeFields = HeaderTokenSet([.connection, .upgrade])
    /// Of the connection, or of this proxy alone.
    private static let ownFields = HeaderTokenSet([.xEnvoyInternal, .keepAlive, .proxyConnection, .transferEncoding])
    private static let connectionFields = HeaderTokenSet([.transferEncoding, .keepAlive, .proxyConnection])

    /// `te` may only say `trailers` further on.
    private static func keepTrailersInTE(_ head: inout HTTPHead) {
        guard let value = head.value(.te) else { return }
        let hasTrailers = head.withBytes(value) { bytes in
            bytes.split(separator: UInt8(ascii: ",")).contains { part in
                let word = part.filter { $0 != 0x20 && $0 != 0x09 }.prefix { $0 != UInt8(ascii: ";") }
                return word.map(ASCII.lower).elementsEqual("trailers".utf8)
            }
        }
        if hasTrailers { head.replace(.te, "trailers" as StaticString) } else { head.remove(.te) }
    }

    /// Envoy joins such lists with a comma and no space into the first field.
    private static func appendToList(_ head: inout HTTPHead, _ token: HeaderToken, _ item: [UInt8]) {
        guard let value = head.value(token), !value.isEmpty else { return head.replace(token, item) }
        var joined = head.withBytes(value) { Array($0) }
        joined.append(UInt8(ascii: ","))
        joined.append(contentsOf: item)
        head.fields[head.firstIndex(token) ?? 0].value = head.store(joined)
    }

    /// Envoy's cleaning of a response before it goes to the client, after the route's header operations.
    ///
    /// - Parameters:
    ///   - request: read only where its id goes into the answer.
    ///   - date: the `date` value of this second; used if the response has none.
    public func finish(
        _ response: inout HTTPHead, request: HTTPHead?, isUpgrade: Bool, date: [UInt8]
    ) {
        if !isUpgrade { response.remove(Self.upgradeFields) }
        response.remove(Self.connectionFields)
        if identity.alwaysSetsRequestIDInResponse, let request, let id = request.value(.xRequestID) {
            let bytes = request.withBytes(id) { Array($0) }
            response.replace(.xRequestID, bytes)
        }
        if !identity.via.isEmpty { Self.appendToList(&response, .via, Array(identity.via.utf8)) }
        if !response.contains(.date) { response.append(.date, date) }
        switch serverHeader {
        case .overwrite: response.replace(.server, serverName)
        case .appendIfAbsent: if !response.contains(.server) { response.append(.server, serverName) }
        case .passThrough: break
        }
    }
}

/// The addresses of `x-forwarded-for`, as received.
private struct ForwardedFor {
    private let addresses: [IPAddress?]

    init(_ head: HTTPHead) {
        guard let range = head.value(.xForwardedFor) else {
            addresses = []
            return
        }
        addresses = head.withBytes(range) { bytes in
            // The list is bounded by the limit on the head's size.
            bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { part in
                IPAddress(String(decoding: part.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self))
            }
        }
    }

    var count: Int { addresses.count }

    /// 0 is the rightmost; nil if there is none or it is no address.
    func address(fromRight index: Int) -> IPAddress? {
        guard index >= 0, index < addresses.count else { return nil }
        return addresses[addresses.count - 1 - index]
    }
}

/// Request ids: random UUIDs (RFC 9562, version 4).
public enum RequestID {
    public static func make(random: inout SeededRandom) -> [UInt8] {
        with(&random) { Array($0) }
    }

    /// Gives the request a new id; nothing is allocated for it.
    static func replace(_ head: inout HTTPHead, random: inout SeededRandom) {
        with(&random) { head.replace(.xRequestID, value: head.store($0)) }
    }

    private static func with<Result>(
        _ random: inout SeededRandom, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let high = (random.next() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000
        let low = (random.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return withUnsafeTemporaryAllocation(byteCount: 36, alignment: 1) { out in
            var count = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    out[count] = UInt8(ascii: "-")
                    count &+= 1
                }
                let word = index < 16 ? high : low
                let digit = UInt8(truncatingIfNeeded: word &>> (60 &- UInt64(index & 15) &* 4)) & 15
                out[count] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
                count &+= 1
            }
            return body(UnsafeRawBufferPointer(out))
        }
    }
}
