internal import ApusCore
internal import ApusDelta
internal import Testing

@Suite("State-of-the-world server machine")
struct StateOfTheWorldServerTests {
    @Test("clusters and listeners are sent in full with every change; absence is removal")
    func fullState() {
        var peer = StateOfTheWorldPeer(view(lds: ["a": 1, "b": 1]))
        let first = peer.ask(.listener)
        #expect(first.text == ["lds a=1 b=1"])
        #expect(peer.ack(first[0]).isEmpty)
        let second = peer.update(view(lds: ["a": 2, "c": 1]))
        #expect(second.text == ["lds a=2 c=1"])
        #expect(second[0].version != first[0].version)
    }

    @Test("endpoints, routes and secrets are sent only where they changed")
    func changedOnly() {
        var peer = StateOfTheWorldPeer(view(eds: ["a": 1, "b": 1], rds: ["r": 1], sds: ["s": 1]))
        let first = peer.ask(.endpoints, ["a", "b"])
        #expect(first.text == ["eds a=1 b=1"])
        #expect(peer.ack(first[0], ["a", "b"]).isEmpty)
        #expect(peer.update(view(eds: ["a": 2, "b": 1], rds: ["r": 1], sds: ["s": 1])).text == ["eds a=2"])
    }

    @Test("the disappearance of endpoints and routes is not sent")
    func absenceMeansNothing() {
        var peer = StateOfTheWorldPeer(view(eds: ["a": 1], rds: ["r": 1]))
        let endpoints = peer.ask(.endpoints, ["a"])
        let routes = peer.ask(.route, ["r"])
        _ = peer.ack(endpoints[0], ["a"])
        _ = peer.ack(routes[0], ["r"])
        #expect(peer.update(view()).isEmpty)
    }

    @Test("equal content sends nothing")
    func equalContent() {
        var peer = StateOfTheWorldPeer(view(cds: ["a": 1]))
        let first = peer.ask(.cluster)
        _ = peer.ack(first[0])
        #expect(peer.update(view(cds: ["a": 1])).isEmpty)
    }

    @Test("an empty set answers the first request")
    func emptyAnswer() {
        var peer = StateOfTheWorldPeer(view())
        #expect(peer.ask(.cluster).text == ["cds"])
        #expect(peer.ask(.secret, ["x"]).text == ["sds"])
        #expect(peer.ask(.route, ["x"]).text == ["rds x=0"])
    }

    @Test("a request with a stale nonce is ignored, its names too")
    func staleNonce() {
        var peer = StateOfTheWorldPeer(view(eds: ["a": 1, "b": 1]))
        let first = peer.ask(.endpoints, ["a"])
        let event = peer.send(.endpoints, ["a", "b"], nonce: "n-99")
        guard case .stale = event else {
            Issue.record("\(event)")
            return
        }
        #expect(peer.ack(first[0], ["a"]).isEmpty)
    }

    @Test("names that are added are answered with the names that are new")
    func addedNames() {
        var peer = StateOfTheWorldPeer(view(eds: ["a": 1, "b": 1]))
        let first = peer.ask(.endpoints, ["a"])
        #expect(peer.ack(first[0], ["a"]).isEmpty)
        let second = peer.ack(first[0], ["a", "b"])
        #expect(second.text == ["eds b=1"])
    }

    @Test("names that are only removed are not answered")
    func removedNames() {
        var peer = StateOfTheWorldPeer(view(eds: ["a": 1, "b": 1]))
        let first = peer.ask(.endpoints, ["a", "b"])
        #expect(peer.ack(first[0], ["a"]).isEmpty)
        #expect(peer.update(view(eds: ["a": 1, "b": 2])).isEmpty)
    }

    @Test("an empty list unsubscribes from all routes")
    func unsubscribeAll() {
        var peer = StateOfTheWorldPeer(view(rds: ["r": 1]))
        let first = peer.ask(.route, ["r"])
        #expect(peer.ack(first[0], []).isEmpty)
        #expect(peer.update(view(rds: ["r": 2])).isEmpty)
    }

    @Test("named clusters and listeners are sent in full of what was named")
    func namedFullState() {
        var peer = StateOfTheWorldPeer(view(lds: ["a": 1, "b": 1, "c": 1]))
        let first = peer.ask(.listener, ["a", "b"])
        #expect(first.text == ["lds a=1 b=1"])
        _ = peer.ack(first[0], ["a", "b"])
        #expect(peer.update(view(lds: ["a": 1, "b": 1, "c": 2])).isEmpty)
        #expect(peer.update(view(lds: ["a": 1, "b": 2, "c": 2])).text == ["lds a=1 b=2"])
    }

    @Test("an empty list after names unsubscribes, though the same list first meant everything")
    func emptyAfterNames() {
        var peer = StateOfTheWorldPeer(view(lds: ["a": 1, "b": 1]))
        let first = peer.ask(.listener, ["a"])
        #expect(peer.ack(first[0], []).isEmpty)
        #expect(peer.update(view(lds: ["a": 2, "b": 1])).isEmpty)
    }

    @Test("a star after names keeps both")
    func starAfterNames() {
        var peer = StateOfTheWorldPeer(view(lds: ["a": 1, "b": 1]))
        let first = peer.ask(.listener, ["a"])
        #expect(peer.ack(first[0], ["a", "*"]).text == ["lds a=1 b=1"])
    }

    @Test("a missing listener is answered by its absence, so the client need not wait")
    func missingListener() {
        var peer = StateOfTheWorldPeer(view(lds: ["a": 1]))
        #expect(peer.ask(.listener, ["nobody:80"]).text == ["lds"])
    }

    @Test("a refused response is not sent again until its content changes")
    func nack() {
        var peer = StateOfTheWorldPeer(view(cds: ["a": 1]))
        let first = peer.ask(.cluster)
        #expect(peer.ask(.cluster, nonce: first[0].nonce, error: "no").isEmpty)
        #expect(peer.state(.cluster).state == .rejected)
        #expect(peer.update(view(cds: ["a": 1])).isEmpty)
        let second = peer.update(view(cds: ["a": 2]))
        #expect(second.text == ["cds a=2"])
        _ = peer.ack(second[0])
        #expect(peer.state(.cluster).state == .synced)
    }

    @Test("content that comes while a response is unacknowledged merges into one")
    func merging() {
        var peer = StateOfTheWorldPeer(view(cds: ["a": 1]))
        let first = peer.ask(.cluster)
        #expect(peer.update(view(cds: ["a": 2])).isEmpty)
        #expect(peer.update(view(cds: ["a": 3])).isEmpty)
        #expect(peer.ack(first[0]).text == ["cds a=3"])
    }

    @Test("a removed cluster stays in the responses until the routes of the same update are acknowledged")
    func removalWaits() {
        var peer = StateOfTheWorldPeer(view(cds: ["a": 1, "b": 1], lds: ["l": 1], rds: ["r": 1]))
        let clusters = peer.ask(.cluster)
        let listeners = peer.ask(.listener)
        let routes = peer.ask(.route, ["r"])
        _ = peer.ack(clusters[0])
        _ = peer.ack(listeners[0])
        _ = peer.ack(routes[0], ["r"])
        let next = peer.update(view(cds: ["b": 1, "c": 1], lds: ["l": 1], rds: ["r": 2]))
        #expect(next.text == ["cds a=1 b=1 c=1", "rds r=2"])
        #expect(peer.ack(next[0]).isEmpty)
        let last = peer.ack(next[1], ["r"])
        #expect(last.text == ["cds b=1 c=1"])
        #expect(last[0].version != next[0].version)
    }

    @Test("the endpoints of a changed cluster are sent anew")
    func rewarming() {
        var peer = StateOfTheWorldPeer(view(cds: ["a": 1, "b": 1], eds: ["a": 1, "b": 1]))
        let clusters = peer.ask(.cluster)
        let endpoints = peer.ask(.endpoints, ["a", "b"])
        _ = peer.ack(clusters[0])
        _ = peer.ack(endpoints[0], ["a", "b"])
        let next = peer.update(view(cds: ["a": 2, "b": 1], eds: ["a": 1, "b": 1]))
        #expect(next.text == ["cds a=2 b=1", "eds a=1"])
    }

    @Test("a nonce from an earlier stream in the first request is no obstacle")
    func oldNonce() {
        var peer = StateOfTheWorldPeer(view(cds: ["a": 1]))
        #expect(peer.ask(.cluster, nonce: "old-7", version: "1").text == ["cds a=1"])
    }

    @Test("a client that starts over with an empty nonce is answered anew")
    func startsOver() {
        var peer = StateOfTheWorldPeer(view(cds: ["a": 1]))
        let first = peer.ask(.cluster)
        _ = peer.ack(first[0])
        #expect(peer.ask(.cluster).text == ["cds a=1"])
    }

    @Test("a second request that crosses the first answer is not answered twice")
    func crossing() {
        var peer = StateOfTheWorldPeer(view(eds: ["a": 1, "b": 1]))
        let first = peer.ask(.endpoints, ["a"])
        #expect(peer.ask(.endpoints, ["a"]).isEmpty)
        #expect(peer.ask(.endpoints, ["a", "b"]).isEmpty)
        #expect(peer.ack(first[0], ["a", "b"]).text == ["eds b=1"])
    }
}
