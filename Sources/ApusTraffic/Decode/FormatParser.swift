/// Reads Envoy's substitution format: `%OPERATOR%`, `%OPERATOR(argument)%`, `%OPERATOR(argument):length%`, `%%`.
public enum FormatParser {
    /// - Throws: what is wrong with the text.
    public static func parse(_ text: String, omitsEmpty: Bool = false) throws(Refusal) -> FormatString {
        var segments: [FormatString.Segment] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        guard rest.count <= 1 << 16 else { throw Refusal("", "the format is longer than 64 KiB") }
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                literal.append(byte)
                continue
            }
            if rest.first == byte {
                rest.removeFirst()
                literal.append(byte)
                continue
            }
            let command = try take(&rest)
            if !literal.isEmpty { segments.append(.literal(literal)) }
            literal = []
            segments.append(.value(try operation(command)))
        }
        if !literal.isEmpty { segments.append(.literal(literal)) }
        return FormatString(segments: segments, omitsEmpty: omitsEmpty)
    }

    /// Up to the closing `%`; one inside of parentheses belongs to the argument.
    private static func take(_ rest: inout ArraySlice<UInt8>) throws(Refusal) -> String {
        var command: [UInt8] = []
        var inside = false
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "(") { inside = true }
            if byte == UInt8(ascii: ")") { inside = false }
            if byte == UInt8(ascii: "%"), !inside { return String(decoding: command, as: UTF8.self) }
            command.append(byte)
        }
        throw Refusal("", "the format has a % without its end")
    }

    private static func operation(_ command: String) throws(Refusal) -> FormatOperator {
        var name = command
        var argument: String?
        var limit: Int?
        if let open = command.firstIndex(of: "("), let close = command.lastIndex(of: ")"), open < close {
            name = String(command[..<open])
            argument = String(command[command.index(after: open)..<close])
            let tail = command[command.index(after: close)...]
            if tail.first == ":" {
                guard let number = Int(tail.dropFirst()), number >= 0 else {
                    throw Refusal("", "%\(command)% has no length after the colon")
                }
                limit = number
            } else if !tail.isEmpty {
                throw Refusal("", "%\(command)% has text after the parenthesis")
            }
        }
        func header() throws(Refusal) -> (HeaderName, HeaderName?) {
            guard let argument, !argument.isEmpty else { throw Refusal("", "%\(name)% needs a header name") }
            var main = argument
            var alternative: String?
            if let mark = argument.firstIndex(of: "?") {
                main = String(argument[..<mark])
                alternative = String(argument[argument.index(after: mark)...])
                // `?:PATH` is the pseudo-header `:path`.
                guard alternative?.isEmpty == false else { throw Refusal("", "%\(command)% has no name after ?") }
            }
            let names = ([main] + [alternative].compactMap { $0 }).map { HeaderName($0) }
            guard names.allSatisfy(\.isValid) else { throw Refusal("", "%\(command)% has an invalid header name") }
            return (names[0], names.count > 1 ? names[1] : nil)
        }
        switch name {
        case "REQ":
            let (main, alternative) = try header()
            return .request(main, alternative: alternative, limit: limit)
        case "RESP":
            let (main, alternative) = try header()
            return .response(main, alternative: alternative, limit: limit)
        case "TRAILER":
            let (main, alternative) = try header()
            return .trailer(main, alternative: alternative, limit: limit)
        case "START_TIME": return .startTime(format: argument)
        case "DYNAMIC_METADATA", "UPSTREAM_METADATA", "CLUSTER_METADATA": return .dynamicMetadata
        case "FILTER_STATE": return .filterState
        default: break
        }
        guard argument == nil, let plain = plain[name] else {
            throw Refusal.unsupported("", "the format operator %\(command)%")
        }
        return plain
    }

    private static let plain: [String: FormatOperator] = [
        "PROTOCOL": .protocol, "RESPONSE_CODE": .responseCode, "RESPONSE_FLAGS": .responseFlags,
        "RESPONSE_FLAGS_LONG": .responseFlagsLong, "RESPONSE_CODE_DETAILS": .responseCodeDetails,
        "CONNECTION_TERMINATION_DETAILS": .connectionTerminationDetails,
        "UPSTREAM_TRANSPORT_FAILURE_REASON": .upstreamTransportFailureReason,
        "BYTES_RECEIVED": .bytesReceived, "BYTES_SENT": .bytesSent,
        "UPSTREAM_WIRE_BYTES_SENT": .upstreamWireBytesSent, "UPSTREAM_WIRE_BYTES_RECEIVED": .upstreamWireBytesReceived,
        "DOWNSTREAM_WIRE_BYTES_SENT": .downstreamWireBytesSent,
        "DOWNSTREAM_WIRE_BYTES_RECEIVED": .downstreamWireBytesReceived,
        "DURATION": .duration, "REQUEST_DURATION": .requestDuration, "RESPONSE_DURATION": .responseDuration,
        "RESPONSE_TX_DURATION": .responseTXDuration,
        "UPSTREAM_HOST": .upstreamHost, "UPSTREAM_CLUSTER": .upstreamCluster,
        "UPSTREAM_CLUSTER_RAW": .upstreamClusterRaw, "UPSTREAM_LOCAL_ADDRESS": .upstreamLocalAddress,
        "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": .upstreamLocalAddressWithoutPort,
        "UPSTREAM_LOCAL_PORT": .upstreamLocalPort, "UPSTREAM_REMOTE_ADDRESS": .upstreamRemoteAddress,
        "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": .upstreamRemoteAddressWithoutPort,
        "UPSTREAM_REMOTE_PORT": .upstreamRemotePort, "UPSTREAM_REQUEST_ATTEMPT_COUNT": .upstreamRequestAttemptCount,
        "DOWNSTREAM_LOCAL_ADDRESS": .downstreamLocalAddress,
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": .downstreamLocalAddressWithoutPort,
        "DOWNSTREAM_LOCAL_PORT": .downstreamLocalPort, "DOWNSTREAM_REMOTE_ADDRESS": .downstreamRemoteAddress,
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": .downstreamRemoteAddressWithoutPort,
        "DOWNSTREAM_REMOTE_PORT": .downstreamRemotePort,
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": .downstreamDirectRemoteAddress,
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": .downstreamDirectRemoteAddressWithoutPort,
        "REQUESTED_SERVER_NAME": .requestedServerName, "ROUTE_NAME": .routeName,
        "VIRTUAL_CLUSTER_NAME": .filterState, "CONNECTION_ID": .connectionID, "STREAM_ID": .streamID,
        "HOSTNAME": .hostname, "LOCAL_REPLY_BODY": .localReplyBody, "DOWNSTREAM_PEER_URI_SAN": .downstreamPeerURISAN,
        "DOWNSTREAM_PEER_DNS_SAN": .downstreamPeerDNSSAN, "DOWNSTREAM_PEER_SUBJECT": .downstreamPeerSubject,
        "DOWNSTREAM_PEER_ISSUER": .downstreamPeerIssuer, "DOWNSTREAM_PEER_SERIAL": .downstreamPeerSerial,
        "DOWNSTREAM_PEER_FINGERPRINT_256": .downstreamPeerFingerprint256,
        "DOWNSTREAM_PEER_CERT": .downstreamPeerCertificate, "DOWNSTREAM_PEER_CERT_V_START": .downstreamPeerStart,
        "DOWNSTREAM_PEER_CERT_V_END": .downstreamPeerEnd, "DOWNSTREAM_TLS_VERSION": .downstreamTLSVersion,
        "DOWNSTREAM_LOCAL_URI_SAN": .downstreamLocalURISAN,
        "DOWNSTREAM_TRANSPORT_FAILURE_REASON": .downstreamTransportFailureReason,
    ]
}
