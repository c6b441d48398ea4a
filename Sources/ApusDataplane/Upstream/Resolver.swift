internal import ApusCore
internal import Glibc
internal import NIOPosix

/// Names to addresses, off the loops. Uses the system's resolver for now, which tells no time to live: names are asked
/// for again after the cluster's refresh interval.
package final class Resolver: Sendable {
    private let thread = NIOThreadPool(numberOfThreads: 2)

    package init() { thread.start() }

    /// Calls back on a thread of the pool. nil: the resolver failed (as opposed to a name without addresses).
    func resolve(_ name: String, _ done: @escaping @Sendable ([ApusCore.IPAddress]?) -> Void) {
        thread.submit { state in
            guard case .active = state else { return done(nil) }
            done(Self.lookUp(name))
        }
    }

    private static func lookUp(_ name: String) -> [ApusCore.IPAddress]? {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        if code == EAI_NONAME { return [] }
        guard code == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var result: [ApusCore.IPAddress] = []
        var next = list
        while let entry = next {
            if let raw = entry.pointee.ai_addr {
                let bytes = UnsafeRawBufferPointer(start: raw, count: Int(entry.pointee.ai_addrlen))
                if let address = SocketEndpoint(sockaddr: bytes)?.address, !result.contains(address) {
                    result.append(address)
                }
            }
            next = entry.pointee.ai_next
        }
        return result
    }
}
