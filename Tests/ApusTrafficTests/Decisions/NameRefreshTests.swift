internal import ApusCore
internal import ApusDNS
internal import ApusTraffic
internal import Testing

@Suite struct NameRefreshTests {
    private let short = ResolvedAddress(IPAddress(v4: 1), ttl: 7)
    private let long = ResolvedAddress(IPAddress(v4: 2), ttl: 70)

    private func config(_ change: (inout ClusterConfig.DNS) -> Void = { _ in }) -> ClusterConfig.DNS {
        var dns = ClusterConfig.DNS()
        change(&dns)
        return dns
    }

    @Test func `the time to live decides where it is respected and not zero`() {
        var refresh = NameRefresh()
        let hosts = NameRefresh.Outcome.hosts([long, short])
        #expect(refresh.wait(after: hosts, config(), draw: 0) == .seconds(5))
        #expect(refresh.wait(after: hosts, config { $0.respectsTTL = true }, draw: 0) == .seconds(7))
        let none = NameRefresh.Outcome.hosts([ResolvedAddress(IPAddress(v4: 1))])
        #expect(refresh.wait(after: none, config { $0.respectsTTL = true }, draw: 0) == .seconds(5))
        #expect(refresh.wait(after: .hosts([]), config { $0.respectsTTL = true }, draw: 0) == .seconds(5))
    }

    @Test func `jitter is less than its bound, and only after an answer`() {
        var refresh = NameRefresh()
        let dns = config { $0.refreshJitter = .milliseconds(100) }
        #expect(refresh.wait(after: .hosts([long]), dns, draw: 199) == .milliseconds(5099))
        #expect(refresh.wait(after: .hosts([long]), dns, draw: 200) == .milliseconds(5000))
        #expect(refresh.wait(after: .failure, dns, draw: 199) == .seconds(5))
    }

    @Test func `failures wait ever longer up to the bound, and an answer begins anew`() {
        var refresh = NameRefresh()
        let dns = config { $0.failureBackOff = .init(base: .seconds(1), max: .seconds(3)) }
        func next() -> Duration { refresh.wait(after: .failure, dns, draw: 5_999) }
        #expect(
            [next(), next(), next(), next()] == [
                .milliseconds(999), .milliseconds(1999), .milliseconds(2999),
                .milliseconds(2999),
            ])
        _ = refresh.wait(after: .hosts([short]), dns, draw: 0)
        #expect(next() == .milliseconds(999))
    }

    @Test func `no address takes the hosts of a strict cluster and not the host of a logical one`() {
        #expect(NameRefresh.outcome(.completed([]), isLogical: false) == .hosts([]))
        #expect(NameRefresh.outcome(.completed([]), isLogical: true) == .failure)
        #expect(NameRefresh.outcome(.completed([long, short]), isLogical: true) == .hosts([long]))
        #expect(NameRefresh.outcome(.failed(.timedOut), isLogical: false) == .failure)
    }
}
