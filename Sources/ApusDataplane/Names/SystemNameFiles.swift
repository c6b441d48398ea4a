package import ApusDNS
internal import Foundation
internal import Glibc
package import NIOCore

/// `/etc/resolv.conf` and `/etc/hosts` as they are now. They are looked at when a name is asked for, and read again when
/// they have changed; both are small and local, so this is no wait for the loop.
package struct SystemNameFiles {
    /// What tells one state of a file from another.
    private struct Stamp: Equatable {
        var inode: UInt64?
        var size: Int64?
        var changed: Date?
    }

    private let resolverPath: String
    private let hostsPath: String
    private var resolverStamp: Stamp?
    private var hostsStamp: Stamp?
    private var looked: NIODeadline?
    private var settings = ResolverSettings()
    private var hosts = HostsFile.empty

    private static let interval = TimeAmount.seconds(1)
    /// More of a file than this is not read.
    private static let largest = 1 << 20

    package init(resolver: String = "/etc/resolv.conf", hosts: String = "/etc/hosts") {
        resolverPath = resolver
        hostsPath = hosts
    }

    /// A file that is not there says nothing.
    package mutating func current(_ now: NIODeadline) -> (settings: ResolverSettings, hosts: HostsFile) {
        if let looked, now - looked < Self.interval { return (settings, hosts) }
        looked = now
        let resolver = Self.stamp(resolverPath)
        if resolver != resolverStamp {
            resolverStamp = resolver
            settings = ResolverSettings(resolverFile: Self.read(resolverPath))
        }
        let file = Self.stamp(hostsPath)
        if file != hostsStamp {
            hostsStamp = file
            hosts = HostsFile(text: Self.read(hostsPath))
        }
        return (settings, hosts)
    }

    private static func stamp(_ path: String) -> Stamp? {
        // The file that a link leads to is what changes.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let facts = try? FileManager.default.attributesOfItem(atPath: target) else { return nil }
        return Stamp(
            inode: (facts[.systemFileNumber] as? NSNumber)?.uint64Value, size: (facts[.size] as? NSNumber)?.int64Value,
            changed: facts[.modificationDate] as? Date)
    }

    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: largest)
        var count = 0
        while count < largest {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, largest - count) }
            guard got > 0 else { break }
            count += got
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
