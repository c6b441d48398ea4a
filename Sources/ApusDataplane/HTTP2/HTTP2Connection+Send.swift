package import ApusTraffic
package import NIOCore

// Actions of the owner, and the frames they become.
extension HTTP2Connection {
    /// Opens a stream with a request (client). The head's pseudo-headers come from its ranges; fields of HTTP/1 that mean
    /// one hop are left out.
    ///
    /// - Parameter protocolName: the value of `:protocol`, for extended CONNECT.
    /// - Returns: nil if `canOpenStream` is false.
    package mutating func openStream(
        _ head: HTTPHead, endStream: Bool, protocolName: [UInt8]? = nil
    ) -> HTTP2Stream? {
        guard canOpenStream else { return nil }
        let id = nextOwnID
        nextOwnID &+= 2
        let slot = table.open(id, sendWindow: peerInitialWindow, receiveWindow: ownInitialWindow)
        table.slots[slot].headSent = true
        table.slots[slot].localClosed = endStream
        table.slots[slot].answersWithoutBody = head.method == .head
        let bound = HPACKEncoder.bound(head, extra: protocolName?.count ?? 0)
        writeBlock(id, endStream: endStream, bound: bound) { encoder, writer in
            encoder.writeRequest(head, protocolName: protocolName, to: &writer)
        }
        return HTTP2Stream(slot: slot, id: id)
    }

    /// Sends a response head (server); `status` 1xx is interim and another follows.
    package mutating func sendHead(_ stream: HTTP2Stream, _ head: HTTPHead, endStream: Bool) {
        guard table.isOpen(stream), !hasFailed, !table.slots[stream.slot].localClosed,
            !table.slots[stream.slot].headSent
        else { return }
        if head.status >= 200 || head.status == 0 { table.slots[stream.slot].headSent = true }
        writeBlock(stream.id, endStream: endStream, bound: HPACKEncoder.bound(head, extra: 0)) { encoder, writer in
            encoder.writeResponse(head, to: &writer)
        }
        if endStream { closeLocal(stream.slot) }
    }

    /// Sends body octets, as far as the windows of stream and connection allow; the machine keeps the rest and sends it
    /// when they open.
    ///
    /// - Returns: false if octets had to be kept: give no more until `writable` comes. Giving more is no error, but nothing
    ///   bounds it.
    @discardableResult
    package mutating func sendData(_ stream: HTTP2Stream, _ data: ByteBuffer, endStream: Bool) -> Bool {
        guard table.isOpen(stream), !hasFailed, !table.slots[stream.slot].localClosed else { return true }
        let slot = stream.slot
        if !table.queues[slot].isEmpty {
            guard !table.queues[slot].endsStream else { return false }
            table.queues[slot].append(data)
            table.queues[slot].endsStream = endStream
            return false
        }
        var data = data
        if data.readableBytes > 0 {
            let allowed = min(table.slots[slot].sendWindow, sendWindow)
            if allowed > 0 { writeData(slot, &data, upTo: allowed, endStream: endStream) }
            guard data.readableBytes > 0 else { return true }
            table.queues[slot].append(data)
            table.queues[slot].endsStream = endStream
            waitForConnection(slot)
            return false
        }
        if endStream { writeEmptyEnd(slot) }
        return true
    }

    /// Ends the own side of the stream with trailers: the fields of `head`, without pseudo-headers. Behind octets that are
    /// kept.
    package mutating func sendTrailers(_ stream: HTTP2Stream, _ head: HTTPHead) {
        guard table.isOpen(stream), !hasFailed, !table.slots[stream.slot].localClosed else { return }
        guard !head.fields.isEmpty else { return sendEnd(stream) }
        if !table.queues[stream.slot].isEmpty {
            guard !table.queues[stream.slot].endsStream else { return }
            table.queues[stream.slot].trailers = [head]
            table.queues[stream.slot].endsStream = true
            return
        }
        writeTrailers(stream.slot, head)
    }

    /// Ends the own side of the stream, behind octets that are kept.
    package mutating func sendEnd(_ stream: HTTP2Stream) {
        guard table.isOpen(stream), !hasFailed, !table.slots[stream.slot].localClosed else { return }
        if !table.queues[stream.slot].isEmpty {
            table.queues[stream.slot].endsStream = true
            return
        }
        writeEmptyEnd(stream.slot)
    }

    /// Ends the stream in both directions at once. What the peer still sends on it is thrown away, and credited.
    package mutating func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard table.isOpen(stream), !hasFailed else { return }
        writeReset(stream.id, code)
        table.close(stream.slot)
    }

    /// Octets of `data` events that the owner has passed on. Windows of stream and connection are given back in halves.
    package mutating func consumed(_ stream: HTTP2Stream, _ count: Int) {
        guard count > 0, !hasFailed else { return }
        giveBack(count)
        guard table.isOpen(stream), !table.slots[stream.slot].remoteClosed else { return }
        table.slots[stream.slot].owed &+= count
        let owed = table.slots[stream.slot].owed
        if owed >= max(1, ownInitialWindow / 2) {
            table.slots[stream.slot].owed = 0
            table.slots[stream.slot].receiveWindow &+= owed
            writeWindowUpdate(stream.id, owed)
        }
    }

    /// Asks for an answer, which comes as `pingAck` with the same data.
    package mutating func ping(_ data: UInt64) {
        guard !hasFailed else { return }
        out.writeFrameHeader(length: 8, type: HTTP2FrameType.ping, flags: 0, stream: 0)
        out.writeInteger(data)
        countControl()
    }

    /// First step of an orderly end: the peer learns that it should open no stream, but those under way are accepted.
    package mutating func announceGoAway() {
        guard !hasFailed, !ownGoesAway else { return }
        ownGoesAway = true
        writeGoAway(last: 0x7FFF_FFFF, .noError)
    }

    /// Second step: streams that are opened from now on are not processed. Those that are open go on.
    package mutating func goAway(_ code: HTTP2ErrorCode) {
        guard !hasFailed else { return }
        ownGoesAway = true
        acceptedID = lastPeerID
        writeGoAway(last: lastPeerID, code)
    }

    // MARK: Frames

    /// One HEADERS frame, and CONTINUATION frames behind it if the block is larger than the peer's frames.
    private mutating func writeBlock(
        _ id: UInt32, endStream: Bool, bound: Int, _ write: (inout HPACKEncoder, inout RawWriter) -> Void
    ) {
        let start = out.writerIndex
        out.writeFrameHeader(length: 0, type: HTTP2FrameType.headers, flags: 0, stream: id)
        Self.encode(&encoder, &out, bound: bound, write)
        framesOut &+= 1
        let length = out.writerIndex &- start &- HTTP2FrameHeader.size
        let flags = endStream ? HTTP2Flag.endStream : 0
        if length <= peerMaxFrame {
            out.setInteger(UInt8(truncatingIfNeeded: length >> 16), at: start)
            out.setInteger(UInt16(truncatingIfNeeded: length), at: start &+ 1)
            out.setInteger(flags | HTTP2Flag.endHeaders, at: start &+ 4)
            return
        }
        let whole = out.getBytes(at: start &+ HTTP2FrameHeader.size, length: length) ?? []
        out.moveWriterIndex(to: start)
        var sent = 0
        while sent < length {
            let size = min(peerMaxFrame, length &- sent)
            let ends = sent &+ size == length ? HTTP2Flag.endHeaders : 0
            if sent == 0 {
                out.writeFrameHeader(length: size, type: HTTP2FrameType.headers, flags: flags | ends, stream: id)
            } else {
                out.writeFrameHeader(length: size, type: HTTP2FrameType.continuation, flags: ends, stream: id)
                framesOut &+= 1
            }
            out.writeBytes(whole[sent..<sent &+ size])
            sent &+= size
        }
    }

    private static func encode(
        _ encoder: inout HPACKEncoder, _ out: inout ByteBuffer, bound: Int,
        _ write: (inout HPACKEncoder, inout RawWriter) -> Void
    ) {
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
            var writer = RawWriter(target)
            write(&encoder, &writer)
            return writer.count
        }
    }

    /// Writes DATA frames of at most `limit` octets together, which the windows must allow.
    mutating func writeData(_ slot: Int, _ data: inout ByteBuffer, upTo limit: Int, endStream: Bool) {
        var left = min(limit, data.readableBytes)
        let id = table.slots[slot].id
        table.slots[slot].sendWindow &-= left
        sendWindow &-= left
        while left > 0 {
            let size = min(left, peerMaxFrame)
            left &-= size
            let ends = endStream && size == data.readableBytes
            lastData = out.writerIndex
            out.writeFrameHeader(
                length: size, type: HTTP2FrameType.data, flags: ends ? HTTP2Flag.endStream : 0, stream: id)
            if let piece = data.readSlice(length: size) { out.writeImmutableBuffer(piece) }
            framesOut &+= 1
            dataFramesSent &+= 1
            if ends { closeLocal(slot) }
        }
    }

    /// A frame of its own says only that the stream ends, unless the stream's last DATA frame stands at the end of the
    /// output: then that one says it.
    private mutating func writeEmptyEnd(_ slot: Int) {
        if endsWithData(of: table.slots[slot].id) {
            out.setInteger(HTTP2Flag.endStream, at: lastData &+ 4)
            return closeLocal(slot)
        }
        out.writeFrameHeader(
            length: 0, type: HTTP2FrameType.data, flags: HTTP2Flag.endStream, stream: table.slots[slot].id)
        framesOut &+= 1
        closeLocal(slot)
    }

    /// The owner may have cleared the output since, so the header is read again.
    private func endsWithData(of id: UInt32) -> Bool {
        guard lastData >= out.readerIndex, lastData &+ HTTP2FrameHeader.size <= out.writerIndex,
            let high = out.getInteger(at: lastData, as: UInt8.self),
            let low = out.getInteger(at: lastData &+ 1, as: UInt16.self),
            out.getInteger(at: lastData &+ 3, as: UInt16.self) == 0,
            out.getInteger(at: lastData &+ 5, as: UInt32.self) == id
        else { return false }
        return lastData &+ HTTP2FrameHeader.size &+ (Int(high) << 16 | Int(low)) == out.writerIndex
    }

    private mutating func writeTrailers(_ slot: Int, _ head: HTTPHead) {
        let id = table.slots[slot].id
        writeBlock(id, endStream: true, bound: HPACKEncoder.bound(head, extra: 0)) { encoder, writer in
            encoder.writeTrailers(head, to: &writer)
        }
        closeLocal(slot)
    }

    private mutating func closeLocal(_ slot: Int) {
        table.slots[slot].localClosed = true
        if table.slots[slot].remoteClosed { table.close(slot) }
    }

    mutating func writeReset(_ id: UInt32, _ code: HTTP2ErrorCode) {
        out.writeFrameHeader(length: 4, type: HTTP2FrameType.resetStream, flags: 0, stream: id)
        out.writeInteger(code.rawValue)
        lateIDs[nextLate] = id
        nextLate = (nextLate &+ 1) & (lateIDs.count &- 1)
        counters.resetsSent &+= 1
        countControl()
    }

    mutating func writeWindowUpdate(_ id: UInt32, _ count: Int) {
        out.writeFrameHeader(length: 4, type: HTTP2FrameType.windowUpdate, flags: 0, stream: id)
        out.writeInteger(UInt32(truncatingIfNeeded: count))
        framesOut &+= 1
    }

    mutating func writeGoAway(last: UInt32, _ code: HTTP2ErrorCode) {
        out.writeFrameHeader(length: 8, type: HTTP2FrameType.goAway, flags: 0, stream: 0)
        out.writeMultipleIntegers(last, code.rawValue)
        counters.goAwaysSent &+= 1
        framesOut &+= 1
    }

    mutating func countControl() {
        framesOut &+= 1
        controlFramesOut &+= 1
    }

    /// Gives octets back to the window of the connection.
    mutating func giveBack(_ count: Int) {
        owed &+= count
        let window = max(Int(options.initialConnectionWindow), Self.defaultWindow)
        if owed >= window / 2 {
            receiveWindow &+= owed
            writeWindowUpdate(0, owed)
            owed = 0
        }
    }

    // MARK: What waits

    /// The stream's own window is open, the connection's is not.
    private mutating func waitForConnection(_ slot: Int) {
        guard !table.slots[slot].isQueued, table.slots[slot].sendWindow > 0 else { return }
        table.slots[slot].isQueued = true
        waiting.append(HTTP2Stream(slot: slot, id: table.slots[slot].id))
    }

    /// Sends of one stream what its window and the connection's allow, at most `limit` octets.
    mutating func resume(_ slot: Int, limit: Int) {
        var left = limit
        while left > 0, !table.queues[slot].isEmpty {
            let next = table.queues[slot].next
            guard next < table.queues[slot].buffers.count else { break }
            let allowed = min(min(table.slots[slot].sendWindow, sendWindow), left)
            guard allowed > 0 else {
                waitForConnection(slot)
                return
            }
            var buffer = table.queues[slot].buffers[next]
            let endsHere =
                next == table.queues[slot].buffers.count &- 1 && table.queues[slot].endsStream
                && table.queues[slot].trailers.isEmpty
            let before = buffer.readableBytes
            let stream = HTTP2Stream(slot: slot, id: table.slots[slot].id)
            writeData(slot, &buffer, upTo: allowed, endStream: endsHere)
            // The last frame may have closed the stream.
            guard table.isOpen(stream), !table.slots[slot].localClosed else {
                if table.isOpen(stream) { table.queues[slot] = HTTP2SendQueue() }
                events.append(.writable(stream))
                return
            }
            let sent = before &- buffer.readableBytes
            left &-= sent
            table.queues[slot].bytes &-= sent
            if buffer.readableBytes > 0 {
                table.queues[slot].buffers[next] = buffer
            } else {
                table.queues[slot].buffers[next] = ByteBuffer()
                table.queues[slot].next &+= 1
            }
        }
        guard table.queues[slot].next >= table.queues[slot].buffers.count else {
            waitForConnection(slot)
            return
        }
        let stream = HTTP2Stream(slot: slot, id: table.slots[slot].id)
        let ends = table.queues[slot].endsStream
        let trailers = table.queues[slot].trailers.first
        table.queues[slot] = HTTP2SendQueue()
        if let trailers {
            writeTrailers(slot, trailers)
        } else if ends {
            writeEmptyEnd(slot)
        }
        events.append(.writable(stream))
    }

    /// The connection's window has opened: every stream that waits for it has its turn, a frame at a time.
    mutating func resumeWaiting() {
        var first = 0
        while sendWindow > 0, first < waiting.count {
            let stream = waiting[first]
            first &+= 1
            guard table.isOpen(stream) else { continue }
            table.slots[stream.slot].isQueued = false
            resume(stream.slot, limit: Self.maxFrameSize)
        }
        waiting.removeFirst(first)
    }
}
