internal import ApusIdentity
internal import Synchronization

/// Who is at the other end of each TLS connection. gRPC tells a call the two addresses of its connection, which no other
/// connection has at the same time.
final class CallerTable: Sendable {
    private let callers = Mutex<[String: SPIFFEIdentity]>([:])

    private static func key(_ local: String, _ remote: String) -> String { "\(local) \(remote)" }

    func enter(_ identity: SPIFFEIdentity, local: String, remote: String) {
        callers.withLock { $0[Self.key(local, remote)] = identity }
    }

    func leave(local: String, remote: String) {
        callers.withLock { _ = $0.removeValue(forKey: Self.key(local, remote)) }
    }

    func caller(local: String, remote: String) -> SPIFFEIdentity? {
        callers.withLock { $0[Self.key(local, remote)] }
    }
}
