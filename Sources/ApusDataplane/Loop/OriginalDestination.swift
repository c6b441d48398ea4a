package import ApusCore
internal import Glibc
package import NIOCore

/// An IP address and a port, as values.
package struct SocketEndpoint: Hashable, Sendable, CustomStringConvertible {
    package var address: ApusCore.IPAddress
    package var port: Int

    package init(address: ApusCore.IPAddress, port: Int) {
        self.address = address
        self.port = port
    }

    /// `10.0.0.1:80` or `[::1]:80`.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard let address = ApusCore.IPAddress(host) else { return nil }
        self.init(address: address, port: Int(port))
    }

    /// nil for Unix sockets.
    package init?(_ address: NIOCore.SocketAddress?) {
        guard let address else { return nil }
        let parsed = address.withSockAddr { pointer, size in
            Self(sockaddr: UnsafeRawBufferPointer(start: pointer, count: size))
        }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Linux's layout: family (host order), port (network order), then the address: at 4 for IPv4, at 8 for IPv6.
    init?(sockaddr bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 8 else { return nil }
        let family = Int32(bytes.loadUnaligned(fromByteOffset: 0, as: UInt16.self))
        port = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        switch family {
        case AF_INET:
            address = .init(v4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        case AF_INET6 where bytes.count >= 24:
            let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            let bits = UInt128(high) << 64 | UInt128(low)
            // A v4 client of a dual-stack socket is a v4 client.
            if bits >> 32 == 0xFFFF {
                address = .init(v4: UInt32(truncatingIfNeeded: bits))
            } else {
                address = .init(v6: bits)
            }
        default:
            return nil
        }
    }

    /// `address:port`, brackets around IPv6.
    package var description: String {
        address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    package var socketAddress: NIOCore.SocketAddress? {
        try? NIOCore.SocketAddress(ipAddress: address.description, port: port)
    }
}

/// Where a redirected connection was going before the firewall changed its way (`SO_ORIGINAL_DST` of netfilter).
internal enum OriginalDestination {
    /// Calls back on the channel's loop, at once for a socket channel.
    static func read(_ channel: any Channel, _ done: @escaping @Sendable (SocketEndpoint?) -> Void) {
        guard let provider = channel as? any SocketOptionProvider else { return done(nil) }
        // Linux: option 80 at level SOL_IP (0) and at SOL_IPV6 (41).
        if channel.localAddress?.protocol == .inet6 {
            let future: EventLoopFuture<sockaddr_in6> = provider.unsafeGetSocketOption(
                level: .init(rawValue: 41), name: .init(rawValue: 80))
            future.whenComplete { result in
                guard case .success(let raw) = result else { return done(nil) }
                done(withUnsafeBytes(of: raw) { SocketEndpoint(sockaddr: $0) })
            }
        } else {
            let future: EventLoopFuture<sockaddr_in> = provider.unsafeGetSocketOption(
                level: .init(rawValue: 0), name: .init(rawValue: 80))
            future.whenComplete { result in
                guard case .success(let raw) = result else { return done(nil) }
                done(withUnsafeBytes(of: raw) { SocketEndpoint(sockaddr: $0) })
            }
        }
    }
}
