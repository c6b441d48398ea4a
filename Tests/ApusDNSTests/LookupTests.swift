internal import ApusCore
internal import ApusDNS
internal import Testing

@Suite("From names to addresses") struct NameLookupTests {
    private let four = ResolvedAddress(IPAddress(v4: 0x0A00_0001), ttl: 4)
    private let six = ResolvedAddress(IPAddress(v6: 6), ttl: 6)

    private func lookup(
        _ name: String, _ family: LookupFamily, search: [String] = [], dots: Int = 1, hosts: String = "",
        usesSearch: Bool = true
    ) -> NameLookup {
        var settings = ResolverSettings()
        settings.search = search.compactMap { DomainName($0) }
        settings.dots = dots
        return NameLookup(
            name, family: family, settings: settings, hosts: HostsFile(text: hosts), usesSearch: usesSearch)
    }

    /// Answers each question from a table of `name type`; what is not there has no such name.
    private func run(
        _ lookup: NameLookup, _ table: [String: DNSAnswer] = [:]
    ) -> (asked: [String], result: NameLookup.Result?) {
        var lookup = lookup
        var asked: [String] = []
        var waiting: [DNSQuestion] = []
        var step = lookup.start()
        while true {
            switch step {
            case .done(let result): return (asked, result)
            case .wait: break
            case .ask(let questions): waiting += questions
            }
            guard !waiting.isEmpty else { return (asked, nil) }
            let question = waiting.removeFirst()
            let key = "\(question.name) \(question.type == .a ? "A" : "AAAA")"
            asked.append(key)
            step = lookup.take(table[key] ?? .noName(ttl: 9), to: question)
        }
    }

    @Test("families as Envoy has them")
    func families() {
        let both: [String: DNSAnswer] = ["w A": .addresses([four]), "w AAAA": .addresses([six])]
        #expect(run(lookup("w", .automatic), both) == (["w AAAA"], .completed([six])))
        #expect(run(lookup("w", .v4Only), both) == (["w A"], .completed([four])))
        #expect(run(lookup("w", .v6Only), both) == (["w AAAA"], .completed([six])))
        #expect(run(lookup("w", .v4Preferred), both) == (["w A"], .completed([four])))
        #expect(run(lookup("w", .all), both) == (["w A", "w AAAA"], .completed([four, six])))
        let onlyFour: [String: DNSAnswer] = ["w A": .addresses([four])]
        #expect(run(lookup("w", .automatic), onlyFour) == (["w AAAA", "w A"], .completed([four])))
        #expect(run(lookup("w", .all), onlyFour) == (["w A", "w AAAA"], .completed([four])))
        #expect(run(lookup("w", .v6Only), onlyFour) == (["w AAAA"], .completed([], negativeTTL: 9)))
        let onlySix: [String: DNSAnswer] = ["w AAAA": .addresses([six])]
        #expect(run(lookup("w", .v4Preferred), onlySix) == (["w A", "w AAAA"], .completed([six])))
    }

    @Test("one family failing does not matter if the other answers; the last one decides if none does")
    func failures() {
        let broken = DNSAnswer.failed(.timedOut)
        #expect(
            run(lookup("w", .automatic), ["w AAAA": broken, "w A": .addresses([four])]).result == .completed([four]))
        #expect(run(lookup("w", .automatic), ["w AAAA": broken]).result == .completed([], negativeTTL: 9))
        #expect(run(lookup("w", .automatic), ["w A": broken]).result == .failed(.timedOut))
        #expect(run(lookup("w", .all), ["w A": broken, "w AAAA": .addresses([six])]).result == .completed([six]))
        #expect(run(lookup("w", .all), ["w A": broken]).result == .failed(.timedOut))
    }

    @Test("the search list: behind short names first, behind long ones last, behind absolute ones never")
    func search() {
        let list = ["x.test", "y.test"]
        #expect(run(lookup("w", .v4Only, search: list)).asked == ["w.x.test A", "w.y.test A", "w A"])
        #expect(run(lookup("w.z", .v4Only, search: list)).asked == ["w.z A", "w.z.x.test A", "w.z.y.test A"])
        #expect(run(lookup("w.z", .v4Only, search: list, dots: 2)).asked == ["w.z.x.test A", "w.z.y.test A", "w.z A"])
        #expect(run(lookup("w.", .v4Only, search: list)).asked == ["w A"])
        #expect(run(lookup("w", .v4Only, search: list, usesSearch: false)).asked == ["w A"])
        let table: [String: DNSAnswer] = ["w.x.test A": .noData(ttl: nil), "w.y.test A": .addresses([four])]
        #expect(run(lookup("w", .v4Only, search: list), table) == (["w.x.test A", "w.y.test A"], .completed([four])))
    }

    @Test("a server that fails ends the search: another name might be somebody else's")
    func searchFailure() {
        let table: [String: DNSAnswer] = ["w.x.test A": .failed(.refused(.serverFailure)), "w A": .addresses([four])]
        #expect(
            run(lookup("w", .v4Only, search: ["x.test"]), table)
                == (["w.x.test A"], .failed(.refused(.serverFailure))))
    }

    @Test("each family goes through the whole list")
    func searchFamilies() {
        let table: [String: DNSAnswer] = ["w.x A": .addresses([four]), "w.y AAAA": .addresses([six])]
        #expect(
            run(lookup("w", .automatic, search: ["x", "y"]), table) == (["w.x AAAA", "w.y AAAA"], .completed([six])))
    }

    @Test("literals, names of the machine and the hosts file ask nobody")
    func local() {
        #expect(run(lookup("10.0.0.1", .automatic)) == ([], .completed([ResolvedAddress(four.address)])))
        #expect(run(lookup("10.0.0.1", .v6Only)) == ([], .completed([])))
        #expect(run(lookup("::6", .all)) == ([], .completed([ResolvedAddress(six.address)])))
        #expect(run(lookup("localhost", .v4Only)) == ([], .completed([ResolvedAddress(IPAddress(v4: 0x7F00_0001))])))
        #expect(run(lookup("a.LOCALHOST.", .automatic)) == ([], .completed([ResolvedAddress(IPAddress(v6: 1))])))
        #expect(run(lookup("x.onion", .all)) == ([], .completed([])))
        #expect(
            run(lookup("w", .v4Only, search: ["x"], hosts: "10.0.0.1 w")) == (
                [], .completed([ResolvedAddress(four.address)])
            ))
        // The hosts file has no IPv6 address: that family is asked for, and the other one is not.
        #expect(
            run(lookup("w", .automatic, hosts: "10.0.0.1 w")) == (
                ["w AAAA"], .completed([ResolvedAddress(four.address)])
            ))
        #expect(run(lookup("no name", .all)) == ([], .failed(.badName)))
        #expect(run(lookup("", .all)) == ([], .failed(.badName)))
    }

    @Test("an answer to a question that was not asked changes nothing")
    func stray() {
        var lookup = lookup("w", .v4Only)
        _ = lookup.start()
        #expect(lookup.take(.addresses([six]), to: DNSQuestion(.root, .a)) == .wait)
    }
}

private func == (
    left: (asked: [String], result: NameLookup.Result?), right: ([String], NameLookup.Result?)
) -> Bool {
    left.asked == right.0 && left.result == right.1
}
