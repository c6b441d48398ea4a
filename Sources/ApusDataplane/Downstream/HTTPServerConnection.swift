internal import NIOCore

/// What the connection manager wants of a connection of a client, whatever its protocol. Never called per request.
internal protocol HTTPServerConnection: AnyObject {
    var info: DownstreamInfo { get }
    /// No further request after those being served.
    func drain()
    func closeNow()
}

/// The HTTP version of a connection, as its first bytes tell.
internal enum SpokenHTTP {
    case http1, http2

    /// - Returns: nil while the bytes can still become the preface of HTTP/2 (RFC 9113, section 3.4).
    static func of(_ bytes: ByteBuffer) -> SpokenHTTP? {
        let isPrefix = HTTP2FrameHeader.preface.withUTF8Buffer { wanted in
            bytes.readableBytesView.prefix(wanted.count).elementsEqual(wanted.prefix(bytes.readableBytes))
        }
        guard isPrefix else { return .http1 }
        return bytes.readableBytes >= HTTP2FrameHeader.prefaceSize ? .http2 : nil
    }
}
