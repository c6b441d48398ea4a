package import ApusTraffic
package import NIOCore

/// A stream of one connection. `slot` is a small number, free for a later stream once this one is closed; `id` is the
/// number on the wire and never comes again. A reference to a stream that is closed is harmless: every action on it
/// does nothing.
package struct HTTP2Stream: Hashable, Sendable {
    package let slot: Int
    package let id: UInt32

    package init(slot: Int, id: UInt32) {
        self.slot = slot
        self.id = id
    }
}

/// What the bytes of the peer mean, one at a time.
package enum HTTP2Event {
    /// A head is in `HTTP2Connection.head`; swap it out. For a server it opens a new stream; for a client it answers one,
    /// and heads with a status of 1xx come before the final one.
    ///
    /// - `facts`: what the head says about its body.
    case head(HTTP2Stream, HTTP2HeadFacts)
    /// Body bytes, never padding. Tell `consumed` of every one of them, once, also when the stream is gone by then.
    case data(HTTP2Stream, ByteBuffer, endStream: Bool)
    /// Trailers are in `HTTP2Connection.head`. The peer says no more on this stream.
    case trailers(HTTP2Stream)
    /// The peer ended the stream (`byPeer`), or this side had to because of what the peer sent. Nothing more comes of it.
    case reset(HTTP2Stream, HTTP2Problem, byPeer: Bool)
    /// All bytes that `sendData` had to keep are written: more may be given.
    case writable(HTTP2Stream)
    /// The peer takes no further streams. Of the own ones, those above `lastStreamID` were not processed: each of them
    /// follows as a `reset` with `refusedStream`, and may be tried elsewhere.
    case goAway(lastStreamID: UInt32, HTTP2ErrorCode)
    /// The peer's settings have changed (or came first): `peerMaxConcurrentStreams` and the windows are other ones now.
    case settings
    /// The peer answered a PING of this side.
    case pingAck(UInt64)
    /// The connection is over. GOAWAY is in `out`; send it and close. No event follows, and no action does anything.
    case failed(HTTP2Problem)
}

/// What a head says of the message beside its fields.
package struct HTTP2HeadFacts: Hashable, Sendable {
    /// Neither body nor trailers follow.
    package var endStream = false
    /// The value of `content-length`. The machine holds the DATA frames to it.
    package var contentLength: UInt64?
    /// `:protocol` of extended CONNECT (RFC 8441): a range of the head's storage.
    package var protocolName: ByteRange?
    package var expectsContinue = false

    package init() {}
}
