internal import ApusCore
internal import ApusTraffic
internal import Testing

@Suite struct FilterChainTests {
    private func facts(
        to: String = "10.0.0.1", port: UInt16 = 80, from: String = "10.9.9.9", sni: String = "",
        tls: Bool = false, alpn: [String] = []
    ) -> ConnectionFacts {
        ConnectionFacts(
            destination: IPAddress(to), destinationPort: port, source: IPAddress(from), sourcePort: 5555,
            serverName: sni, transportProtocol: tls ? .tls : .rawBuffer, applicationProtocols: alpn)
    }

    private func cidrs(_ texts: String...) -> [CIDR] { texts.compactMap { CIDR($0) } }

    @Test func `an empty match takes what is left, and without one there is no chain`() {
        #expect(FilterChainMatcher([FilterChainMatch()]).find(facts()) == 0)
        #expect(FilterChainMatcher([FilterChainMatch(destinationPort: 81)]).find(facts()) == nil)
    }

    @Test func `the destination port decides before everything else`() {
        let matcher = FilterChainMatcher([
            FilterChainMatch(destinations: cidrs("10.0.0.1/32")), FilterChainMatch(destinationPort: 80),
        ])
        #expect(matcher.find(facts()) == 1)
        #expect(matcher.find(facts(port: 81)) == 0)
    }

    @Test func `the longest prefix wins, and any prefix wins over none`() {
        let matcher = FilterChainMatcher([
            FilterChainMatch(), FilterChainMatch(destinations: cidrs("0.0.0.0/0")),
            FilterChainMatch(destinations: cidrs("10.0.0.0/8")), FilterChainMatch(destinations: cidrs("10.0.0.0/24")),
        ])
        #expect(matcher.find(facts()) == 3)
        #expect(matcher.find(facts(to: "10.0.1.1")) == 2)
        #expect(matcher.find(facts(to: "11.0.0.1")) == 1)
        #expect(matcher.find(facts(to: "::1")) == 0)
    }

    @Test(arguments: [
        ("a.b.example", 0), ("c.b.example", 1), ("x.y.example", 2), ("example", 3), ("", 3), ("b.example", 2),
    ])
    func `an exact server name wins, then the longest wildcard, then none`(name: String, chain: Int) {
        let matcher = FilterChainMatcher([
            FilterChainMatch(serverNames: ["a.b.example"]), FilterChainMatch(serverNames: ["*.b.example"]),
            FilterChainMatch(serverNames: ["*.example"]), FilterChainMatch(),
        ])
        #expect(matcher.find(facts(sni: name, tls: true)) == chain)
    }

    @Test func `there is no way back from a chosen server name`() {
        let matcher = FilterChainMatcher([
            FilterChainMatch(serverNames: ["a.example"], applicationProtocols: ["h2"]),
            FilterChainMatch(serverNames: ["*.example"]), FilterChainMatch(),
        ])
        #expect(matcher.find(facts(sni: "a.example", tls: true, alpn: ["h2", "x"])) == 0)
        #expect(matcher.find(facts(sni: "a.example", tls: true, alpn: ["http/1.1"])) == nil)
    }

    @Test func `an HTTP chain takes sniffed HTTP and the default the rest`() {
        let matcher = FilterChainMatcher([
            FilterChainMatch(transportProtocol: .rawBuffer, applicationProtocols: ["http/1.1", "h2c"])
        ])
        #expect(matcher.find(facts(alpn: ["http/1.1"])) == 0)
        #expect(matcher.find(facts()) == nil)
        #expect(matcher.find(facts(tls: true, alpn: ["http/1.1"])) == nil)
    }

    @Test func `source type, prefix and port come last`() {
        let matcher = FilterChainMatcher([
            FilterChainMatch(sourceType: .sameIPOrLoopback), FilterChainMatch(sources: cidrs("10.9.0.0/16")),
            FilterChainMatch(sources: cidrs("10.9.9.0/24"), sourcePorts: [1]), FilterChainMatch(sourceType: .external),
        ])
        #expect(matcher.find(facts(from: "127.0.0.1")) == 0)
        #expect(matcher.find(facts(from: "10.0.0.1")) == 0)
        #expect(matcher.find(facts()) == 3)
        let ports = FilterChainMatcher([
            FilterChainMatch(), FilterChainMatch(sources: cidrs("10.9.9.0/24"), sourcePorts: [1]),
        ])
        #expect(ports.find(facts()) == nil)
        #expect(ports.find(facts(from: "10.8.0.1")) == 0)
    }

    @Test func `a port predicate switches a listener filter off`() {
        let filter = ListenerFilter(
            kind: .httpInspector, disabled: .not(.either([.range(from: 80, until: 81), .range(from: 90, until: 95)])))
        #expect(filter.applies(toDestinationPort: 80) && filter.applies(toDestinationPort: 94))
        #expect(!filter.applies(toDestinationPort: 81) && !filter.applies(toDestinationPort: 95))
    }
}

@Suite struct SniffingTests {
    private func hello(_ name: String?, _ protocols: [String]) -> [UInt8] {
        func u16(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
        func vector(_ body: [UInt8]) -> [UInt8] { u16(body.count) + body }
        var extensions: [UInt8] = u16(0x000A) + vector([0, 2, 0, 29])
        if let name { extensions += u16(0) + vector(vector([0] + vector(bytes(name)))) }
        if !protocols.isEmpty {
            extensions += u16(16) + vector(vector(protocols.flatMap { [UInt8($0.utf8.count)] + bytes($0) }))
        }
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + vector([0x13, 0x01]) + [1, 0] + vector(extensions)
        return [1, 0] + u16(body.count) + body
    }

    private func record(_ body: [UInt8]) -> [UInt8] {
        [22, 3, 1, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    @Test func `a ClientHello tells its server name and protocols`() {
        let message = record(hello("Shop.Example", ["h2", "http/1.1"]))
        let wanted = TLSSniff.clientHello(serverName: "shop.example", applicationProtocols: ["h2", "http/1.1"])
        #expect(withBytes(message) { TLSSniff.inspect($0) } == wanted)
        #expect(
            withBytes(record(hello(nil, []))) { TLSSniff.inspect($0) }
                == .clientHello(serverName: "", applicationProtocols: []))
    }

    @Test func `every part of it asks for more`() {
        let message = record(hello("shop.example", ["h2"]))
        for count in 0..<message.count {
            #expect(withBytes(Array(message[..<count])) { TLSSniff.inspect($0) } == .needMore)
        }
    }

    @Test func `it may be split into records anywhere`() {
        let body = hello("shop.example", ["h2"])
        for cut in 1..<body.count {
            let message = record(Array(body[..<cut])) + record(Array(body[cut...]))
            #expect(
                withBytes(message) { TLSSniff.inspect($0) }
                    == .clientHello(serverName: "shop.example", applicationProtocols: ["h2"]))
        }
    }

    @Test func `no change of a single byte traps`() {
        let message = record(hello("shop.example", ["h2"]))
        for index in message.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                var changed = message
                changed[index] = value
                _ = withBytes(changed) { TLSSniff.inspect($0) }
            }
        }
        #expect(withBytes(bytes("GET / HTTP/1.1")) { TLSSniff.inspect($0) } == .notTLS)
        #expect(withBytes([22, 3, 1, 0, 0]) { TLSSniff.inspect($0) } == .notTLS)
        #expect(withBytes([22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF]) { TLSSniff.inspect($0) } == .notTLS)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n", HTTPSniff.http11), ("POST /a?b HTTP/1.0\r\nHost", .http10),
        ("GET / HTTP/1.1", .needMore),
        ("\r\nGET / HTTP/1.1\r\n", .notHTTP), ("GET path HTTP/1.1\r\n", .notHTTP),
        ("GET /\u{e4} HTTP/1.1\r\n", .notHTTP), ("G@T / HTTP/1.1\r\n", .notHTTP), ("OPTIONS * HTTP/1.1\r\n", .http11),
        ("GET http://a HTTP/1.1\r\n", .http11), ("GET http:/a HTTP/1.1\r\n", .notHTTP),
        ("CONNECT a:1 HTTP/1.1\r\n", .http11), ("G", .needMore), ("", .needMore), ("PRI * HTTP/2.0\r\n", .needMore),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .http2), ("get / HTTP/1.1\r\n", .http11),
        ("GET / HTTP/2.0\r\n", .notHTTP),
        ("GET  HTTP/1.1\r\n", .notHTTP), ("SSH-2.0-x\r\n", .notHTTP), ("\u{16}\u{3}\u{1}", .notHTTP),
        ("GET / HTTP/1.2\r\n", .notHTTP), (" / HTTP/1.1\r\n", .notHTTP),
    ])
    func `request lines and the preface are recognised, nothing else`(input: String, wanted: HTTPSniff) {
        #expect(withBytes(bytes(input)) { HTTPSniff.inspect($0) } == wanted)
    }
}
