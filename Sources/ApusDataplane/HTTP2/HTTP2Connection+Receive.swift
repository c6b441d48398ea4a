internal import ApusTraffic
package import NIOCore

// Octets of the peer, and the events they become.
extension HTTP2Connection {
    /// The next event of the octets in `input`, from which whole parts are taken. nil: more are needed; what is left must
    /// be the beginning of `input` the next time.
    package mutating func next(_ input: inout ByteBuffer, now: NIODeadline) -> HTTP2Event? {
        if let event = queuedEvent() { return event }
        guard !hasFailed else { return nil }
        do throws(HTTP2Problem) {
            while true {
                if dataLeft > 0 || paddingLeft > 0 {
                    guard input.readableBytes > 0 else { return nil }
                    if let event = takeData(&input) { return event }
                    continue
                }
                if awaitsPreface {
                    guard try takePreface(&input) else { return nil }
                    continue
                }
                guard input.readableBytes >= HTTP2FrameHeader.size else { return nil }
                let header = HTTP2FrameHeader(input.readableBytesUInt8Span)
                guard header.length <= Self.maxFrameSize else {
                    throw HTTP2Problem(.frameSizeError, "http2.frame_size")
                }
                if awaitsSettings {
                    guard header.type == HTTP2FrameType.settings, !header.has(HTTP2Flag.ack) else {
                        throw Self.wrong("http2.settings_expected")
                    }
                }
                if blockID != 0, header.type != HTTP2FrameType.continuation || header.stream != blockID {
                    throw Self.wrong("http2.continuation_expected")
                }
                try checkOutput()
                if header.type == HTTP2FrameType.data {
                    let prefix = header.has(HTTP2Flag.padded) && header.length > 0 ? 1 : 0
                    guard input.readableBytes >= HTTP2FrameHeader.size &+ prefix else { return nil }
                    let padding = prefix == 1 ? input.readableBytesUInt8Span[HTTP2FrameHeader.size] : 0
                    input.moveReaderIndex(forwardBy: HTTP2FrameHeader.size &+ prefix)
                    if let event = try beginData(header, prefix: prefix, padding: Int(padding)) { return event }
                    continue
                }
                guard input.readableBytes >= HTTP2FrameHeader.size &+ header.length else { return nil }
                let frame = input
                input.moveReaderIndex(forwardBy: HTTP2FrameHeader.size &+ header.length)
                let payload = frame.readableBytesUInt8Span.extracting(
                    HTTP2FrameHeader.size..<HTTP2FrameHeader.size &+ header.length)
                if let event = try take(header, payload, now) { return event }
                if let event = queuedEvent() { return event }
            }
        } catch {
            return fail(error)
        }
    }

    private mutating func queuedEvent() -> HTTP2Event? {
        guard nextEvent < events.count else { return nil }
        let event = events[nextEvent]
        nextEvent &+= 1
        if nextEvent == events.count {
            events.removeAll(keepingCapacity: true)
            nextEvent = 0
        }
        return event
    }

    static func wrong(_ details: String) -> HTTP2Problem { HTTP2Problem(.protocolError, details) }

    private mutating func fail(_ problem: HTTP2Problem) -> HTTP2Event {
        writeGoAway(last: lastPeerID, problem.code)
        hasFailed = true
        return .failed(problem)
    }

    /// Frames that the peer asked for and does not fetch.
    private mutating func checkOutput() throws(HTTP2Problem) {
        if controlFramesOut > options.maxOutboundControlFrames {
            counters.outboundControlFlood &+= 1
            throw HTTP2Problem(.enhanceYourCalm, "http2.outbound_control_frames_flood")
        }
        if framesOut > options.maxOutboundFrames {
            counters.outboundFlood &+= 1
            throw HTTP2Problem(.enhanceYourCalm, "http2.outbound_frames_flood")
        }
    }

    private mutating func takePreface(_ input: inout ByteBuffer) throws(HTTP2Problem) -> Bool {
        let count = min(input.readableBytes, HTTP2FrameHeader.prefaceSize)
        let isRight = HTTP2FrameHeader.preface.withUTF8Buffer {
            input.readableBytesView.prefix(count).elementsEqual($0.prefix(count))
        }
        guard isRight else { throw Self.wrong("http2.bad_preface") }
        guard count == HTTP2FrameHeader.prefaceSize else { return false }
        input.moveReaderIndex(forwardBy: count)
        awaitsPreface = false
        return true
    }

    private mutating func take(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>, _ now: NIODeadline
    ) throws(HTTP2Problem) -> HTTP2Event? {
        switch header.type {
        case HTTP2FrameType.headers: return try takeHeaders(header, payload)
        case HTTP2FrameType.continuation: return try takeContinuation(header, payload)
        case HTTP2FrameType.windowUpdate: return try takeWindowUpdate(header, payload)
        case HTTP2FrameType.settings: return try takeSettings(header, payload)
        case HTTP2FrameType.ping: return try takePing(header, payload)
        case HTTP2FrameType.resetStream: return try takeReset(header, payload, now)
        case HTTP2FrameType.goAway: return try takeGoAway(header, payload)
        case HTTP2FrameType.priority: return try takePriority(header, payload)
        case HTTP2FrameType.pushPromise: throw Self.wrong("http2.push_promise")
        // Extensions that this side does not know (section 5.5).
        default: return nil
        }
    }

    // MARK: DATA

    private mutating func beginData(
        _ header: HTTP2FrameHeader, prefix: Int, padding: Int
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard header.stream != 0 else { throw Self.wrong("http2.data_on_connection") }
        if header.has(HTTP2Flag.padded) {
            guard header.length > 0 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
            guard padding < header.length else { throw Self.wrong("http2.padding") }
        }
        let count = header.length &- prefix &- padding
        let endStream = header.has(HTTP2Flag.endStream)
        try countEmpty(isEmpty: count == 0, endStream: endStream)
        guard header.length <= receiveWindow else {
            throw HTTP2Problem(.flowControlError, "http2.connection_window")
        }
        receiveWindow &-= header.length
        dataLeft = count
        paddingLeft = padding
        dataEndsStream = endStream
        dataID = header.stream
        dataSlot = -1
        let slot = table.find(header.stream)
        guard slot >= 0 else {
            try checkIdle(header.stream)
            giveBack(header.length)
            if !isLate(header.stream) { writeReset(header.stream, .streamClosed) }
            return nil
        }
        let padded = header.length &- count
        if table.slots[slot].remoteClosed {
            giveBack(header.length)
            return endStreamWith(slot, HTTP2Problem(.streamClosed, "http2.data_after_end"))
        }
        guard table.slots[slot].headReceived else {
            giveBack(header.length)
            return endStreamWith(slot, Self.wrong("http2.data_before_head"))
        }
        guard header.length <= table.slots[slot].receiveWindow else {
            giveBack(header.length)
            return endStreamWith(slot, HTTP2Problem(.flowControlError, "http2.stream_window"))
        }
        table.slots[slot].receiveWindow &-= header.length
        if table.slots[slot].promised >= 0 {
            table.slots[slot].promised &-= Int64(count)
            if table.slots[slot].promised < 0 || (endStream && table.slots[slot].promised > 0) {
                giveBack(header.length)
                counters.messagingErrors &+= 1
                return try malformed(slot, "http2.content_length_mismatch")
            }
        }
        let stream = HTTP2Stream(slot: slot, id: header.stream)
        dataSlot = slot
        if padded > 0 { consumed(stream, padded) }
        if count == 0, endStream {
            closeRemote(slot)
            return .data(stream, ByteBuffer(), endStream: true)
        }
        return nil
    }

    /// Hands over what has come of the frame's octets.
    private mutating func takeData(_ input: inout ByteBuffer) -> HTTP2Event? {
        guard dataLeft > 0 else {
            let count = min(paddingLeft, input.readableBytes)
            paddingLeft &-= count
            input.moveReaderIndex(forwardBy: count)
            return nil
        }
        let count = min(dataLeft, input.readableBytes)
        dataLeft &-= count
        // The owner may have reset the stream between two parts of the frame.
        let stream = HTTP2Stream(slot: dataSlot, id: dataID)
        guard dataSlot >= 0, table.isOpen(stream), let bytes = input.readSlice(length: count) else {
            input.moveReaderIndex(forwardBy: min(count, input.readableBytes))
            if dataSlot >= 0 { giveBack(count) }
            return nil
        }
        let ends = dataLeft == 0 && dataEndsStream
        if ends { closeRemote(dataSlot) }
        return .data(stream, bytes, endStream: ends)
    }

    private mutating func closeRemote(_ slot: Int) {
        table.slots[slot].remoteClosed = true
        if table.slots[slot].localClosed { table.close(slot) }
    }

    private mutating func countEmpty(isEmpty: Bool, endStream: Bool) throws(HTTP2Problem) {
        guard isEmpty, !endStream else {
            emptyFrames = 0
            return
        }
        emptyFrames &+= 1
        if emptyFrames > options.maxConsecutiveEmptyFrames {
            counters.emptyFramesFlood &+= 1
            throw HTTP2Problem(.enhanceYourCalm, "http2.inbound_empty_frames_flood")
        }
    }

    /// A frame on a stream that is not open: one that never was is an offence (section 5.1).
    private func checkIdle(_ id: UInt32) throws(HTTP2Problem) {
        let isOwn = (id & 1 == 1) == (role == .client)
        if isOwn ? id >= nextOwnID : id > lastPeerID { throw Self.wrong("http2.idle_stream") }
    }

    private func isLate(_ id: UInt32) -> Bool { id > acceptedID || lateIDs.contains(id) }

    /// This side ends a stream because of what came on it.
    private mutating func endStreamWith(_ slot: Int, _ problem: HTTP2Problem) -> HTTP2Event {
        let stream = HTTP2Stream(slot: slot, id: table.slots[slot].id)
        writeReset(stream.id, problem.code)
        table.close(slot)
        dataSlot = -1
        return .reset(stream, problem, byPeer: false)
    }

    /// A message against section 8: the end of its stream or of the connection, as the options say.
    private mutating func malformed(_ slot: Int, _ details: String) throws(HTTP2Problem) -> HTTP2Event {
        guard options.malformedMessageEndsStream else { throw Self.wrong(details) }
        return endStreamWith(slot, Self.wrong(details))
    }

    // MARK: HEADERS and CONTINUATION

    private mutating func takeHeaders(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard header.stream != 0 else { throw Self.wrong("http2.headers_on_connection") }
        var start = 0
        var end = payload.count
        if header.has(HTTP2Flag.padded) {
            guard payload.count > 0 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
            let padding = Int(payload[0])
            start = 1
            guard padding < payload.count else { throw Self.wrong("http2.padding") }
            end = payload.count &- padding
        }
        if header.has(HTTP2Flag.priority) {
            // Priorities of RFC 7540 are read over, as RFC 9113 allows.
            start &+= 5
        }
        guard start <= end else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
        let endStream = header.has(HTTP2Flag.endStream)
        try countEmpty(isEmpty: start == end, endStream: endStream)
        if header.has(HTTP2Flag.endHeaders) {
            return try takeBlock(payload.extracting(start..<end), header.stream, endStream)
        }
        blockID = header.stream
        blockEndsStream = endStream
        blockFrames = 0
        block.removeAll(keepingCapacity: true)
        payload.extracting(start..<end).withUnsafeBufferPointer { block.append(contentsOf: $0) }
        return nil
    }

    private mutating func takeContinuation(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard blockID != 0 else { throw Self.wrong("http2.unexpected_continuation") }
        blockFrames &+= 1
        try countEmpty(isEmpty: payload.count == 0, endStream: header.has(HTTP2Flag.endHeaders))
        // As many as the largest head needs in frames of full size, and a few more for those who cut smaller.
        guard blockFrames <= 8 &+ options.maxHeadBytes / Self.maxFrameSize,
            block.count &+ payload.count <= 2 &* options.maxHeadBytes &+ Self.maxFrameSize
        else { throw HTTP2Problem(.enhanceYourCalm, "http2.continuation_flood") }
        payload.withUnsafeBufferPointer { block.append(contentsOf: $0) }
        guard header.has(HTTP2Flag.endHeaders) else { return nil }
        let id = blockID
        blockID = 0
        var whole: [UInt8] = []
        swap(&whole, &block)
        // Large heads are rare: their memory is not kept.
        return try takeBlock(whole.span, id, blockEndsStream)
    }

    private mutating func takeBlock(
        _ block: Span<UInt8>, _ id: UInt32, _ endStream: Bool
    ) throws(HTTP2Problem) -> HTTP2Event? {
        let slot = table.find(id)
        if slot >= 0 { return try takeBlock(block, ofOpen: slot, endStream) }
        guard role == .server else {
            // A stream that this side has closed, or one that nobody opened.
            guard id & 1 == 1, id < nextOwnID else { throw Self.wrong("http2.idle_stream") }
            try skip(block)
            return nil
        }
        guard id & 1 == 1 else { throw Self.wrong("http2.stream_number") }
        if id <= lastPeerID {
            try skip(block)
            if !isLate(id) { throw HTTP2Problem(.streamClosed, "http2.headers_after_end") }
            return nil
        }
        lastPeerID = id
        guard id <= acceptedID else {
            try skip(block)
            return nil
        }
        guard table.count < Int(options.maxConcurrentStreams) else {
            try skip(block)
            counters.refusedStreams &+= 1
            writeReset(id, .refusedStream)
            return nil
        }
        peerStreams &+= 1
        var builder = HTTP2HeadBuilder(
            kind: .request, maxBytes: options.maxHeadBytes, maxFields: options.maxHeadFields)
        head.reset()
        try decoder.decode(block, into: &head, builder: &builder)
        let facts = builder.finish(&head, endStream: endStream, allowsConnect: options.allowsConnect)
        var problem = builder.malformed
        if problem == nil, endStream, let length = facts.contentLength, length > 0 {
            problem = "http2.content_length_mismatch"
        }
        if builder.isTooLarge {
            counters.headerOverflow &+= 1
            writeReset(id, .internalError)
            return nil
        }
        if let problem {
            counters.messagingErrors &+= 1
            guard options.malformedMessageEndsStream else { throw Self.wrong(problem) }
            writeReset(id, .protocolError)
            return nil
        }
        let opened = table.open(id, sendWindow: peerInitialWindow, receiveWindow: ownInitialWindow)
        table.slots[opened].headReceived = true
        table.slots[opened].remoteClosed = endStream
        if let length = facts.contentLength { table.slots[opened].promised = Int64(clamping: length) }
        return .head(HTTP2Stream(slot: opened, id: id), facts)
    }

    /// A head on a stream that is open: an answer, or trailers.
    private mutating func takeBlock(
        _ block: Span<UInt8>, ofOpen slot: Int, _ endStream: Bool
    ) throws(HTTP2Problem) -> HTTP2Event? {
        let id = table.slots[slot].id
        let isTrailers = table.slots[slot].headReceived
        var builder = HTTP2HeadBuilder(
            kind: isTrailers ? .trailers : .response, maxBytes: options.maxHeadBytes,
            maxFields: options.maxHeadFields)
        head.reset()
        try decoder.decode(block, into: &head, builder: &builder)
        guard !table.slots[slot].remoteClosed else {
            throw HTTP2Problem(.streamClosed, "http2.headers_after_end")
        }
        let facts = builder.finish(&head, endStream: endStream, allowsConnect: false)
        if builder.isTooLarge {
            counters.headerOverflow &+= 1
            return endStreamWith(slot, HTTP2Problem(.internalError, "http2.head_too_large"))
        }
        if let problem = builder.malformed {
            counters.messagingErrors &+= 1
            return try malformed(slot, problem)
        }
        let stream = HTTP2Stream(slot: slot, id: id)
        if isTrailers {
            // Trailers that do not end the stream, or before all of the body (sections 8.1, 8.1.1).
            guard endStream, table.slots[slot].promised <= 0 else {
                counters.messagingErrors &+= 1
                return try malformed(slot, endStream ? "http2.content_length_mismatch" : "http2.trailers_without_end")
            }
            counters.trailers &+= 1
            closeRemote(slot)
            return .trailers(stream)
        }
        if head.status < 200 {
            guard !endStream else {
                counters.messagingErrors &+= 1
                return try malformed(slot, "http2.interim_with_end")
            }
            return .head(stream, facts)
        }
        table.slots[slot].headReceived = true
        let hasNoBody = table.slots[slot].answersWithoutBody || head.status == 204 || head.status == 304
        if let length = facts.contentLength, !hasNoBody {
            guard !endStream || length == 0 else {
                counters.messagingErrors &+= 1
                return try malformed(slot, "http2.content_length_mismatch")
            }
            table.slots[slot].promised = Int64(clamping: length)
        } else if hasNoBody {
            table.slots[slot].promised = 0
        }
        if endStream { closeRemote(slot) }
        return .head(stream, facts)
    }

    /// A block that means nothing any more is decoded all the same: the table must stay in step.
    private mutating func skip(_ block: Span<UInt8>) throws(HTTP2Problem) {
        var builder = HTTP2HeadBuilder(
            kind: .trailers, maxBytes: options.maxHeadBytes, maxFields: options.maxHeadFields)
        head.reset()
        try decoder.decode(block, into: &head, builder: &builder)
        head.reset()
    }

    // MARK: The other frames

    private mutating func takePriority(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard header.stream != 0 else { throw Self.wrong("http2.priority_on_connection") }
        guard payload.count == 5 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
        priorityFrames &+= 1
        if priorityFrames > UInt64(options.maxPriorityFramesPerStream) &* (1 &+ peerStreams) {
            counters.priorityFlood &+= 1
            throw HTTP2Problem(.enhanceYourCalm, "http2.inbound_priority_frames_flood")
        }
        return nil
    }

    private mutating func takeReset(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>, _ now: NIODeadline
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard header.stream != 0 else { throw Self.wrong("http2.reset_on_connection") }
        guard payload.count == 4 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
        try checkIdle(header.stream)
        counters.resetsReceived &+= 1
        if role == .server, !resets.take(now) {
            counters.resetFlood &+= 1
            throw HTTP2Problem(.enhanceYourCalm, "http2.reset_flood")
        }
        let slot = table.find(header.stream)
        guard slot >= 0 else { return nil }
        table.close(slot)
        let code = HTTP2ErrorCode(rawValue: UInt32(bytes: payload, at: 0))
        return .reset(
            HTTP2Stream(slot: slot, id: header.stream), HTTP2Problem(code, "http2.remote_reset"), byPeer: true)
    }

    private mutating func takePing(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard header.stream == 0 else { throw Self.wrong("http2.ping_on_stream") }
        guard payload.count == 8 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
        let data = UInt64(UInt32(bytes: payload, at: 0)) << 32 | UInt64(UInt32(bytes: payload, at: 4))
        if header.has(HTTP2Flag.ack) { return .pingAck(data) }
        out.writeFrameHeader(length: 8, type: HTTP2FrameType.ping, flags: HTTP2Flag.ack, stream: 0)
        out.writeInteger(data)
        countControl()
        return nil
    }

    private mutating func takeGoAway(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard header.stream == 0 else { throw Self.wrong("http2.goaway_on_stream") }
        guard payload.count >= 8 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
        let last = UInt32(bytes: payload, at: 0) & 0x7FFF_FFFF
        let code = HTTP2ErrorCode(rawValue: UInt32(bytes: payload, at: 4))
        peerGoesAway = true
        if role == .client {
            for slot in table.slots.indices where table.slots[slot].id > last {
                let stream = HTTP2Stream(slot: slot, id: table.slots[slot].id)
                table.close(slot)
                events.append(.reset(stream, HTTP2Problem(.refusedStream, "http2.goaway"), byPeer: true))
            }
        }
        return .goAway(lastStreamID: last, code)
    }

    private mutating func takeWindowUpdate(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard payload.count == 4 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
        windowUpdates &+= 1
        let allowed =
            5 &+ 2
            &* (peerStreams &+ UInt64(nextOwnID >> 1)
                &+ UInt64(options.maxWindowUpdatesPerDataFrame) &* dataFramesSent)
        if windowUpdates > allowed {
            counters.windowUpdateFlood &+= 1
            throw HTTP2Problem(.enhanceYourCalm, "http2.inbound_window_update_frames_flood")
        }
        let increment = Int(UInt32(bytes: payload, at: 0) & 0x7FFF_FFFF)
        if header.stream == 0 {
            guard increment > 0 else { throw Self.wrong("http2.window_increment") }
            guard sendWindow &+ increment <= Self.maxWindow else {
                throw HTTP2Problem(.flowControlError, "http2.window_overflow")
            }
            sendWindow &+= increment
            if !waiting.isEmpty { resumeWaiting() }
            return nil
        }
        let slot = table.find(header.stream)
        guard slot >= 0 else {
            try checkIdle(header.stream)
            return nil
        }
        guard increment > 0 else { return endStreamWith(slot, Self.wrong("http2.window_increment")) }
        guard table.slots[slot].sendWindow &+ increment <= Self.maxWindow else {
            return endStreamWith(slot, HTTP2Problem(.flowControlError, "http2.window_overflow"))
        }
        table.slots[slot].sendWindow &+= increment
        if !table.queues[slot].isEmpty, !table.slots[slot].isQueued { resume(slot, limit: .max) }
        return nil
    }

    private mutating func takeSettings(
        _ header: HTTP2FrameHeader, _ payload: Span<UInt8>
    ) throws(HTTP2Problem) -> HTTP2Event? {
        guard header.stream == 0 else { throw Self.wrong("http2.settings_on_stream") }
        if header.has(HTTP2Flag.ack) {
            guard payload.count == 0 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
            if unacknowledgedSettings > 0 {
                unacknowledgedSettings = 0
                ownSettingsAcknowledged()
            }
            return nil
        }
        guard payload.count % 6 == 0 else { throw HTTP2Problem(.frameSizeError, "http2.frame_size") }
        var window = peerInitialWindow
        var index = 0
        while index < payload.count {
            let name = UInt16(payload[index]) << 8 | UInt16(payload[index &+ 1])
            let value = UInt32(bytes: payload, at: index &+ 2)
            index &+= 6
            switch name {
            case 0x1: encoder.setPeerLimit(Int(value))
            case 0x2:
                guard value == 0 || (value == 1 && role == .server) else { throw Self.wrong("http2.enable_push") }
            case 0x3: peerMaxConcurrentStreams = value
            case 0x4:
                guard Int(value) <= Self.maxWindow else {
                    throw HTTP2Problem(.flowControlError, "http2.initial_window")
                }
                window = Int(value)
            case 0x5:
                guard value >= 16_384, value <= 16_777_215 else { throw Self.wrong("http2.max_frame_size") }
                // Larger frames than this gain nothing, and a stream would keep the others waiting for longer.
                peerMaxFrame = min(Int(value), 65_536)
            case 0x8:
                guard value <= 1, value == 1 || !peerAllowsConnect else { throw Self.wrong("http2.enable_connect") }
                peerAllowsConnect = value == 1
            default: break
            }
        }
        // No limit is no limit only once the peer has spoken.
        if awaitsSettings, peerMaxConcurrentStreams == 100, !Self.names(payload, 0x3) {
            peerMaxConcurrentStreams = .max
        }
        awaitsSettings = false
        out.writeFrameHeader(length: 0, type: HTTP2FrameType.settings, flags: HTTP2Flag.ack, stream: 0)
        countControl()
        if window != peerInitialWindow { try setPeerWindow(window) }
        return .settings
    }

    private static func names(_ payload: Span<UInt8>, _ wanted: UInt16) -> Bool {
        var index = 0
        while index &+ 6 <= payload.count {
            if UInt16(payload[index]) << 8 | UInt16(payload[index &+ 1]) == wanted { return true }
            index &+= 6
        }
        return false
    }

    /// A new initial window moves those of all open streams by the difference, below zero if need be (section 6.9.2).
    private mutating func setPeerWindow(_ window: Int) throws(HTTP2Problem) {
        let difference = window &- peerInitialWindow
        peerInitialWindow = window
        for slot in table.slots.indices where table.slots[slot].id != 0 {
            table.slots[slot].sendWindow &+= difference
            guard table.slots[slot].sendWindow <= Self.maxWindow else {
                throw HTTP2Problem(.flowControlError, "http2.window_overflow")
            }
            if difference > 0, !table.queues[slot].isEmpty, !table.slots[slot].isQueued {
                resume(slot, limit: .max)
            }
        }
    }

    private mutating func ownSettingsAcknowledged() {
        decoder.setLimit(Int(options.headerTableSize))
        let window = min(Int(options.initialStreamWindow), Self.maxWindow)
        let difference = window &- ownInitialWindow
        ownInitialWindow = window
        for slot in table.slots.indices where table.slots[slot].id != 0 {
            table.slots[slot].receiveWindow &+= difference
        }
    }
}
