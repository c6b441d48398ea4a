internal import ApusCore
internal import ApusDNS
internal import Testing

@Suite("resolv.conf and hosts") struct FilesTests {
    @Test("servers, search list and options")
    func all() {
        let settings = ResolverSettings(
            resolverFile: """
                # a comment
                ; another
                nameserver 10.0.0.1
                nameserver\tfe80::1%eth0
                nameserver not-an-address
                domain old.example
                search a.example b.example. # why
                options ndots:2 timeout:3 attempts:1 rotate use-vc edns0 unknown:9
                sortlist 10.0.0.0
                """)
        #expect(
            settings.servers == [
                DNSServer(IPAddress(v4: 0x0A00_0001)), DNSServer(IPAddress(v6: 0xFE80 << 112 | 1), zone: "eth0"),
            ])
        #expect(settings.search == [DomainName("a.example"), DomainName("b.example")])
        #expect(settings.dots == 2)
        #expect(settings.timeout == .seconds(3))
        #expect(settings.attempts == 1)
        #expect(settings.rotates)
        #expect(settings.usesTCP)
        #expect(settings.servers.map(\.description) == ["10.0.0.1:53", "[fe80::1%eth0]:53"])
    }

    @Test(
        "nothing, and nonsense, mean the defaults",
        arguments: ["", "nameserver", "options ndots:x timeout: :", "search"])
    func defaults(text: String) {
        #expect(ResolverSettings(resolverFile: text) == ResolverSettings())
    }

    @Test("options have limits")
    func limits() {
        let settings = ResolverSettings(resolverFile: "options ndots:99 timeout:99 attempts:99\n")
        #expect(settings.dots == 15)
        #expect(settings.timeout == .seconds(30))
        #expect(settings.attempts == 5)
    }

    @Test("servers of a cluster: in place of the system's, or only where that has none")
    func options() {
        let own = DNSServer(IPAddress(v4: 0x0A00_0009), port: 5353)
        let system = ResolverSettings(resolverFile: "nameserver 10.0.0.1\nsearch a.example\noptions timeout:3\n")
        let machine = [DNSServer(IPAddress(v4: 0x7F00_0001))]
        var options = ResolverOptions()
        #expect(options.settings(over: system) == system)
        #expect(options.settings(over: ResolverSettings()).servers == machine)
        options.servers = [own]
        #expect(options.settings(over: system).servers == [own])
        #expect(options.settings(over: system).search == system.search)
        options.serversAreFallback = true
        #expect(options.settings(over: system).servers == system.servers)
        #expect(options.settings(over: ResolverSettings()).servers == [own])
        options.usesTCP = true
        options.attempts = 2
        options.payloadSize = 512
        let settings = options.settings(over: system)
        #expect(settings.usesTCP && settings.attempts == 2 && settings.payloadSize == 512)
        #expect(settings.timeout == .seconds(3))
    }

    @Test("hosts: several names, several addresses, any case, comments")
    func hosts() throws {
        let hosts = HostsFile(
            text: """
                127.0.0.1 localhost
                10.0.0.1\tWeb web.example # web2
                10.0.0.2 web
                ::1 web
                10.0.0.1 web
                nonsense web
                """)
        let web = try #require(DomainName("WEB"))
        #expect(hosts[web] == [IPAddress(v4: 0x0A00_0001), IPAddress(v4: 0x0A00_0002), IPAddress(v6: 1)])
        #expect(hosts[try #require(DomainName("web2"))].isEmpty)
    }
}
