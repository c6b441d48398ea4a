package import ApusCore
internal import ApusDelta
package import ApusMesh
internal import Synchronization

/// One connected stream as the pipeline sees it: who it is, and a mailbox that holds the newest view.
///
/// The mailbox merges: a stream that is slow sees the newest content once, not every step on the way there.
package final class StreamHandle: Sendable {
    package let id: UInt64
    package let proxy: Proxy
    /// `ipv4:127.0.0.1:40000`.
    package let peer: String
    package let isDelta: Bool
    package let connectedAt: ContinuousClock.Instant

    private struct State {
        var pending: ResourceView?
        var current: ResourceView
        var isClosed = false
        var waiter: CheckedContinuation<ResourceView?, Never>?
        var status: StreamStatus?
    }

    private let state: Mutex<State>

    package init(id: UInt64, proxy: Proxy, peer: String, isDelta: Bool, view: ResourceView) {
        self.id = id
        self.proxy = proxy
        self.peer = peer
        self.isDelta = isDelta
        connectedAt = .now
        state = Mutex(State(current: view))
    }

    /// The view that was posted last.
    package var view: ResourceView { state.withLock { $0.current } }

    /// What the stream's machine said of itself after its last step.
    package var status: StreamStatus? {
        get { state.withLock { $0.status } }
        set { state.withLock { $0.status = newValue } }
    }

    /// Replaces what waits in the mailbox.
    package func post(_ view: ResourceView) {
        let waiter = state.withLock { state -> CheckedContinuation<ResourceView?, Never>? in
            state.current = view
            guard let waiter = state.waiter else {
                state.pending = view
                return nil
            }
            state.waiter = nil
            return waiter
        }
        // Resumed outside the lock: what runs then may post again.
        waiter?.resume(returning: view)
    }

    /// The next view; nil when the stream is closed. One caller at a time.
    package func next() async -> ResourceView? {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> ResourceView?? in
                if state.isClosed { return .some(nil) }
                if let pending = state.pending {
                    state.pending = nil
                    return .some(pending)
                }
                state.waiter = continuation
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    package func close() {
        let waiter = state.withLock { state -> CheckedContinuation<ResourceView?, Never>? in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}

extension StreamHandle {
    /// The xDS node id, `type~ip~name.namespace~domain`.
    package var nodeID: String {
        "\(proxy.role.rawValue)~\(proxy.addresses.first ?? "")~\(proxy.id)~\(proxy.dnsDomain)"
    }
}
