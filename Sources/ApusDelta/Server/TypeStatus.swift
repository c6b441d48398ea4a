package import ApusCore

/// How far one type of one stream is.
package enum SyncState: String, Hashable, Sendable {
    /// The client has what it asked for.
    case synced = "SYNCED"
    /// A response is not acknowledged yet, or newer content waits.
    case stale = "STALE"
    /// The client never asked, or was not answered yet.
    case notSent = "NOT_SENT"
    /// The last response was refused, and what was refused has not been replaced since.
    case rejected = "NACK"
}

/// The bookkeeping of one type of one stream, for CSDS, `syncz` and `proxy-status`.
package struct TypeStatus: Sendable {
    /// A response that went out or came back.
    package struct Mark: Hashable, Sendable {
        package let nonce: String
        package let version: ContentVersion
        package let at: Instant
    }

    package let type: ResourceType
    package let state: SyncState
    package let sent: Mark?
    package let acknowledged: Mark?
    package let rejection: Rejection?
    package let isWildcard: Bool
    /// Names subscribed to one by one.
    package let names: Int
    package let counts: Counts

    /// Totals since the stream began.
    package struct Counts: Hashable, Sendable {
        package var responses = 0
        package var resources = 0
        package var removals = 0
        package var bytes = 0
        package var acknowledgements = 0
        package var rejections = 0
        /// Responses that newer content overtook because the client did not acknowledge them in time.
        package var overtaken = 0
        package var stale = 0
    }
}
