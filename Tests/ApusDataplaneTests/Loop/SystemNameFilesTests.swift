internal import ApusCore
internal import ApusDNS
internal import ApusDataplane
internal import Foundation
internal import NIOCore
internal import Testing

@Suite struct SystemNameFilesTests {
    @Test("changed files are read again, and files that are gone say nothing; not more than once a second")
    func change() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("names-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let resolver = folder.appendingPathComponent("resolv.conf")
        let hosts = folder.appendingPathComponent("hosts")
        // As programs do that manage it: what is there is a link.
        let link = folder.appendingPathComponent("link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: resolver)
        var files = SystemNameFiles(resolver: link.path, hosts: hosts.path)
        let web = try #require(DomainName("web"))
        func servers(_ seconds: Int64) -> [DNSServer] {
            files.current(.uptimeNanoseconds(UInt64(seconds) * 1_000_000_000)).settings.servers
        }
        #expect(servers(10).isEmpty)
        try Data("nameserver 10.0.0.1\n".utf8).write(to: resolver)
        try Data("10.0.0.9 web\n".utf8).write(to: hosts)
        #expect(servers(10).isEmpty)
        #expect(servers(11) == [DNSServer(IPAddress(v4: 0x0A00_0001))])
        #expect(files.current(.uptimeNanoseconds(11_000_000_000)).hosts[web] == [IPAddress(v4: 0x0A00_0009)])
        // Another size, so that a clock too coarse to tell two writes apart does no harm.
        try Data("nameserver 10.0.0.22\n".utf8).write(to: resolver)
        #expect(servers(12) == [DNSServer(IPAddress(v4: 0x0A00_0016))])
        try FileManager.default.removeItem(at: resolver)
        try FileManager.default.removeItem(at: hosts)
        #expect(servers(13).isEmpty)
        #expect(files.current(.uptimeNanoseconds(13_000_000_000)).hosts[web].isEmpty)
    }
}
