internal import ApusTraffic
internal import NIOCore

// Clients that speak gRPC-Web: see `GRPCWebBridge`.
extension HTTPExchange {
    /// - Returns: true if the request does not go on.
    func startGRPCWeb(_ key: Slot) -> Bool {
        if case .disabled? = override(key) { return false }
        guard let bridge = GRPCWebBridge(&request) else { return false }
        grpcWeb = bridge
        if framing != .none { framing = .chunked }
        guard body.readableBytes > 0 else { return false }
        // What came while another filter held the request.
        guard let bytes = grpcWeb?.request(body.readableBytesView) else {
            closesAfterReply = true
            reply(GRPCWebBridge.invalidBase64)
            return true
        }
        body = ByteBuffer(bytes: bytes)
        return false
    }

    func webData(_ data: ByteBuffer) {
        guard let bytes = grpcWeb?.request(data.readableBytesView) else {
            closesAfterReply = true
            reply(GRPCWebBridge.invalidBase64)
            return
        }
        if !bytes.isEmpty { take(ByteBuffer(bytes: bytes), bytes.count) }
    }

    func webAnswer(_ data: ByteBuffer) { writeWeb(grpcWeb?.response(data.readableBytesView) ?? []) }

    /// Scripts cannot read trailers: they become the last frame of the body.
    func webTrailers() {
        writeWeb(grpcWeb?.response(trailers: responseTrailers) ?? [])
        hasResponseTrailers = false
    }

    private func writeWeb(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        facts.bytesSent += UInt64(bytes.count)
        downstream?.writeData(ByteBuffer(bytes: bytes))
    }
}
