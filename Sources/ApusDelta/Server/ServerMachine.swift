package import ApusCore
package import SwiftProtobuf

/// What both variants of a server stream have in common, for code that moves their messages.
///
/// After every `received` and `update`, and at the instant of the last `.wait`, ask `next` until it answers `.wait` or
/// `.close`.
package protocol ServerMachine: ~Copyable, Sendable {
    associatedtype Request: SwiftProtobuf.Message

    init(settings: StreamSettings, view: ResourceView?)

    mutating func received(_ request: Request, at now: Instant) -> RequestEvent
    mutating func update(view: ResourceView)
    mutating func next(at now: Instant) -> ServerAction
    func status(at now: Instant) -> [TypeStatus]
}

/// Why the bytes of a request are no request.
package enum RequestFault: Error, Hashable, Sendable {
    /// Bytes received and bytes allowed.
    case tooLarge(size: Int, limit: Int)
    case malformed
}

extension ServerMachine where Self: ~Copyable {
    /// A request from the bytes of one gRPC message.
    package static func decode(_ bytes: [UInt8], limits: StreamLimits) throws(RequestFault) -> Request {
        guard bytes.count <= limits.requestSize else {
            throw .tooLarge(size: bytes.count, limit: limits.requestSize)
        }
        do {
            return try Request(serializedBytes: bytes)
        } catch {
            throw .malformed
        }
    }
}
