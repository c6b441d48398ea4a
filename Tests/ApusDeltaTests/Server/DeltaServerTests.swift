internal import ApusCore
internal import ApusDelta
internal import Testing

@Suite("Delta server machine")
struct DeltaServerTests {
    // MARK: Subscribing

    @Test("the first request without names is a wildcard for clusters and listeners")
    func legacyWildcard() {
        var peer = DeltaPeer(view(cds: ["a": 1, "b": 2], lds: ["l": 1]))
        #expect(peer.ask(.cluster).text == ["cds a=1 b=2"])
        #expect(peer.ask(.listener).text == ["lds l=1"])
    }

    @Test("an explicit star is a wildcard")
    func explicitWildcard() {
        var peer = DeltaPeer(view(cds: ["a": 1, "b": 2]))
        #expect(peer.ask(.cluster, subscribe: ["*"]).text == ["cds a=1 b=2"])
    }

    @Test("a star and a name at once send the name once")
    func wildcardAndName() {
        var peer = DeltaPeer(view(cds: ["a": 1, "b": 2]))
        #expect(peer.ask(.cluster, subscribe: ["*", "a"]).text == ["cds a=1 b=2"])
    }

    @Test("an empty set answers the first wildcard, since silence would stop the client's start")
    func emptyAnswer() {
        var peer = DeltaPeer(view())
        #expect(peer.ask(.cluster).text == ["cds"])
        #expect(peer.ask(.listener).text == ["lds"])
    }

    @Test(
        "an empty first request for a type without wildcard subscribes to nothing",
        arguments: [
            ResourceType.endpoints, .route, .secret,
        ])
    func noWildcard(type: ResourceType) {
        var peer = DeltaPeer(view(eds: ["a": 1], rds: ["a": 1], sds: ["a": 1]))
        #expect(peer.ask(type).isEmpty)
        #expect(peer.ask(type, subscribe: ["a"]).count == 1)
    }

    @Test("named subscriptions get only their names")
    func named() {
        var peer = DeltaPeer(view(eds: ["a": 1, "b": 2, "c": 3]))
        #expect(peer.ask(.endpoints, subscribe: ["c", "a"]).text == ["eds a=1 c=3"])
    }

    @Test("a newly subscribed name is answered even if the client was sent it before")
    func resubscribed() {
        var peer = DeltaPeer(view(eds: ["a": 1]))
        let first = peer.ask(.endpoints, subscribe: ["a"])
        #expect(peer.ackAll(first).isEmpty)
        #expect(peer.ask(.endpoints, subscribe: ["a"]).text == ["eds a=1"])
    }

    @Test("unsubscribing is not answered, and later changes of the name are not sent")
    func unsubscribed() {
        var peer = DeltaPeer(view(eds: ["a": 1, "b": 1]))
        let first = peer.ask(.endpoints, subscribe: ["a", "b"])
        _ = peer.ackAll(first)
        #expect(peer.ask(.endpoints, unsubscribe: ["a"]).isEmpty)
        #expect(peer.update(view(eds: ["a": 2, "b": 1])).isEmpty)
        #expect(peer.update(view(eds: ["a": 2, "b": 2])).text == ["eds b=2"])
    }

    @Test("a name unsubscribed under a wildcard is told again, since the client has forgotten it")
    func unsubscribedUnderWildcard() {
        var peer = DeltaPeer(view(cds: ["a": 1, "b": 1]))
        let first = peer.ask(.cluster, subscribe: ["*", "a"])
        _ = peer.ackAll(first)
        #expect(peer.ask(.cluster, unsubscribe: ["a"]).text == ["cds a=1"])
    }

    @Test("leaving the wildcard keeps the names; coming back sends only what the client does not hold")
    func wildcardAndBack() {
        var peer = DeltaPeer(view(cds: ["a": 1, "b": 1, "c": 1]))
        let first = peer.ask(.cluster, subscribe: ["*", "a"])
        _ = peer.ackAll(first)
        #expect(peer.ask(.cluster, unsubscribe: ["*"]).isEmpty)
        #expect(peer.update(view(cds: ["a": 1, "b": 2, "c": 1])).isEmpty)
        #expect(peer.ask(.cluster, subscribe: ["*"]).text == ["cds b=2 c=1"])
    }

    @Test("a missing name is answered as removed, or by the stand-in for endpoints and routes")
    func missing() {
        var peer = DeltaPeer(view())
        #expect(peer.ask(.secret, subscribe: ["x"]).text == ["sds -x"])
        #expect(peer.ask(.cluster, subscribe: ["x"]).text == ["cds -x"])
        #expect(peer.ask(.endpoints, subscribe: ["x"]).text == ["eds x=0"])
        #expect(peer.ask(.route, subscribe: ["x"]).text == ["rds x=0"])
    }

    @Test("a name that was missing is sent when it comes to be")
    func missingThenThere() {
        var peer = DeltaPeer(view())
        let first = peer.ask(.endpoints, subscribe: ["x"]) + peer.ask(.secret, subscribe: ["x"])
        _ = peer.ackAll(first)
        #expect(peer.update(view(eds: ["x": 1], sds: ["x": 7])).text == ["eds x=1", "sds x=7"])
    }

    @Test("a stand-in whose content the real resource repeats is not sent again")
    func standInIsReal() {
        var peer = DeltaPeer(view())
        let first = peer.ask(.endpoints, subscribe: ["x"])
        _ = peer.ackAll(first)
        #expect(peer.update(view(eds: ["x": 0])).isEmpty)
    }

    @Test("requests may come before the content")
    func contentLater() {
        var peer = DeltaPeer(nil)
        #expect(peer.ask(.cluster).isEmpty)
        #expect(peer.state(.cluster).state == .notSent)
        #expect(peer.update(view(cds: ["a": 1])).text == ["cds a=1"])
    }

    // MARK: Resuming

    @Test("a client that comes back gets only what differs, and what is gone is removed")
    func resume() {
        let now = view(cds: ["a": 1, "b": 2, "d": 4])
        var peer = DeltaPeer(now, scope: .single(.cluster))
        let held = [
            "a": resource(.cluster, "a", 1).version.description, "b": resource(.cluster, "b", 1).version.description,
            "c": resource(.cluster, "c", 3).version.description,
        ]
        #expect(peer.ask(.cluster, held: held).text == ["cds b=2 d=4 -c"])
    }

    @Test("a client that comes back with everything is told nothing and counts as in step")
    func resumeInStep() {
        let now = view(cds: ["a": 1], eds: ["a": 1])
        var peer = DeltaPeer(now)
        #expect(peer.ask(.cluster, held: ["a": resource(.cluster, "a").version.description]).isEmpty)
        #expect(
            peer.ask(.endpoints, subscribe: ["a"], held: ["a": resource(.endpoints, "a").version.description]).isEmpty)
        #expect(peer.state(.cluster).state == .synced)
        #expect(peer.state(.endpoints).state == .synced)
        #expect(peer.state(.cluster).counts.responses == 0)
        #expect(peer.update(view(cds: ["a": 2], eds: ["a": 1])).text.first == "cds a=2")
    }

    @Test("a held stand-in for a name that is still missing is not sent again")
    func resumeStandIn() {
        var peer = DeltaPeer(view())
        #expect(
            peer.ask(.endpoints, subscribe: ["x"], held: ["x": resource(.endpoints, "x", 0).version.description])
                .isEmpty)
    }

    @Test("a version that is not ours counts as different")
    func resumeForeign() {
        var peer = DeltaPeer(view(cds: ["a": 1]), scope: .single(.cluster))
        #expect(peer.ask(.cluster, held: ["a": "1", "b": "7"]).text == ["cds a=1 -b"])
    }

    @Test("held names that are not subscribed are ignored")
    func resumeUnsubscribed() {
        var peer = DeltaPeer(view(eds: ["a": 1]))
        #expect(peer.ask(.endpoints, subscribe: ["a"], held: ["z": "0000000000000000"]).text == ["eds a=1"])
    }

    @Test("held versions count in the first request of a type only")
    func resumeLate() {
        var peer = DeltaPeer(view(cds: ["a": 1]))
        let first = peer.ask(.cluster)
        _ = peer.ackAll(first)
        #expect(peer.ask(.cluster, held: ["a": "0"]).isEmpty)
    }

    // MARK: Content

    @Test("equal content sends nothing")
    func equalContent() {
        var peer = DeltaPeer(view(cds: ["a": 1], lds: ["l": 1]))
        let first = peer.ask(.cluster) + peer.ask(.listener)
        _ = peer.ackAll(first)
        #expect(peer.update(view(cds: ["a": 1], lds: ["l": 1])).isEmpty)
    }

    @Test("only what changed is sent, and what is gone is removed")
    func incremental() {
        var peer = DeltaPeer(view(lds: ["a": 1, "b": 1, "c": 1]))
        let first = peer.ask(.listener)
        _ = peer.ackAll(first)
        #expect(peer.update(view(lds: ["a": 1, "b": 2, "d": 1])).text == ["lds b=2 d=1 -c"])
    }

    @Test("an endpoint change is one EDS response and nothing else")
    func endpointChange() {
        var peer = DeltaPeer(view(cds: ["a": 1, "b": 1], eds: ["a": 1, "b": 1], lds: ["l": 1], rds: ["r": 1]))
        var answers = peer.ask(.cluster) + peer.ask(.endpoints, subscribe: ["a", "b"])
        answers += peer.ask(.listener) + peer.ask(.route, subscribe: ["r"])
        _ = peer.ackAll(answers)
        let changed = peer.update(view(cds: ["a": 1, "b": 1], eds: ["a": 2, "b": 1], lds: ["l": 1], rds: ["r": 1]))
        #expect(changed.text == ["eds a=2"])
    }

    @Test("content that comes while a response is unacknowledged merges into one")
    func merging() {
        var peer = DeltaPeer(view(lds: ["a": 1]))
        let first = peer.ask(.listener)
        #expect(peer.update(view(lds: ["a": 2, "b": 1])).isEmpty)
        #expect(peer.update(view(lds: ["a": 3, "b": 1])).isEmpty)
        #expect(peer.state(.listener).state == .stale)
        #expect(peer.ackAll(first).text == ["lds a=3 b=1"])
    }

    @Test("content that changes and changes back while a response is unacknowledged sends nothing")
    func thereAndBack() {
        var peer = DeltaPeer(view(lds: ["a": 1]))
        let first = peer.ask(.listener)
        _ = peer.update(view(lds: ["a": 2]))
        _ = peer.update(view(lds: ["a": 1]))
        #expect(peer.ackAll(first).isEmpty)
    }

    @Test("names asked for while a response is unacknowledged are answered with the acknowledgement")
    func namesWhileWaiting() {
        var peer = DeltaPeer(view(eds: ["a": 1, "b": 1, "c": 1]))
        let first = peer.ask(.endpoints, subscribe: ["a"])
        #expect(peer.ask(.endpoints, subscribe: ["b"]).isEmpty)
        #expect(peer.ask(.endpoints, subscribe: ["c"]).isEmpty)
        #expect(peer.ackAll(first).text == ["eds b=1 c=1"])
    }

    @Test("newer content overtakes a response that is never acknowledged")
    func overtaking() {
        var peer = DeltaPeer(view(cds: ["a": 1]))
        let first = peer.ask(.cluster)
        #expect(peer.update(view(cds: ["a": 2])).isEmpty)
        let deadline = peer.machine.next(at: peer.now)
        guard case .wait(until: .seconds(15)) = deadline else {
            Issue.record("\(deadline)")
            return
        }
        #expect(peer.wait(14).isEmpty)
        let second = peer.wait(1)
        #expect(second.text == ["cds a=2"])
        // The late word on the first response says nothing about the second.
        #expect(peer.ackAll(first).isEmpty)
        #expect(peer.state(.cluster).state == .stale)
        #expect(peer.ackAll(second).isEmpty)
        #expect(peer.state(.cluster).state == .synced)
        #expect(peer.state(.cluster).counts.overtaken == 1)
    }

    @Test("a silent client with nothing newer to get is left alone")
    func silence() {
        var peer = DeltaPeer(view(cds: ["a": 1]))
        _ = peer.ask(.cluster)
        #expect(peer.wait(1_000).isEmpty)
        let action = peer.machine.next(at: peer.now)
        guard case .wait(until: nil) = action else {
            Issue.record("\(action)")
            return
        }
    }

    // MARK: ACK and NACK

    @Test("an acknowledgement may bring subscription changes")
    func ackWithSubscription() {
        var peer = DeltaPeer(view(eds: ["a": 1, "b": 1]))
        let first = peer.ask(.endpoints, subscribe: ["a"])
        #expect(peer.ask(.endpoints, subscribe: ["b"], nonce: first[0].nonce).text == ["eds b=1"])
    }

    @Test("a stale nonce does not lose subscription changes")
    func staleNonce() {
        var peer = DeltaPeer(view(eds: ["a": 1, "b": 1]))
        let first = peer.ask(.endpoints, subscribe: ["a"])
        let event = peer.send(.endpoints, subscribe: ["b"], nonce: "n-77")
        guard case .stale(.endpoints) = event else {
            Issue.record("\(event)")
            return
        }
        #expect(peer.drain().isEmpty, "the first response still waits")
        #expect(peer.ackAll(first).text == ["eds b=1"])
        #expect(peer.state(.endpoints).counts.stale == 1)
    }

    @Test("a refused response is not sent again until its content changes")
    func nack() {
        var peer = DeltaPeer(view(lds: ["a": 1, "b": 1]))
        let first = peer.ask(.listener)
        #expect(peer.ask(.listener, nonce: first[0].nonce, error: "no").isEmpty)
        #expect(peer.wait(1_000).isEmpty)
        #expect(peer.update(view(lds: ["a": 1, "b": 1])).isEmpty)
        let status = peer.state(.listener)
        #expect(status.state == .rejected)
        #expect(status.rejection?.message == "no")
        #expect(status.rejection?.nonce == first[0].nonce)
        #expect(status.rejection?.version.description == first[0].version)
        #expect(status.acknowledged == nil)
    }

    @Test("the cure of a refused resource brings its innocent neighbours along")
    func nackCure() {
        var peer = DeltaPeer(view(lds: ["a": 1, "b": 1, "c": 1]))
        let first = peer.ask(.listener)
        _ = peer.ask(.listener, nonce: first[0].nonce, error: "cannot parse")
        let second = peer.update(view(lds: ["a": 2, "b": 1, "c": 1]))
        #expect(second.text == ["lds a=2 b=1 c=1"])
        _ = peer.ackAll(second)
        #expect(peer.state(.listener).state == .synced)
        #expect(peer.state(.listener).rejection == nil)
    }

    @Test("a change elsewhere does not repeat a refused response whose culprit is unknown")
    func nackUnknownCulprit() {
        var peer = DeltaPeer(view(lds: ["a": 1, "b": 1]))
        let first = peer.ask(.listener)
        _ = peer.ask(.listener, nonce: first[0].nonce, error: "cannot parse")
        let second = peer.update(view(lds: ["a": 1, "b": 1, "c": 1]))
        #expect(second.text == ["lds c=1"])
        _ = peer.ackAll(second)
        #expect(peer.state(.listener).state == .rejected, "a and b are still in doubt")
    }

    @Test("a culprit that the message names is not repeated; its neighbours go with the next change")
    func nackNamedCulprit() {
        var peer = DeltaPeer(view(cds: ["alpha": 1, "beta": 1]))
        let first = peer.ask(.cluster)
        _ = peer.ask(
            .cluster, nonce: first[0].nonce, error: "Error adding/updating cluster(s) alpha: no such transport socket")
        #expect(peer.state(.cluster).rejection?.resources == ["alpha"])
        let second = peer.update(view(cds: ["alpha": 1, "beta": 1, "gamma": 1]))
        #expect(second.text == ["cds beta=1 gamma=1"])
        _ = peer.ackAll(second)
        #expect(peer.state(.cluster).state == .rejected)
        let third = peer.update(view(cds: ["alpha": 2, "beta": 1, "gamma": 1]))
        #expect(third.text == ["cds alpha=2"])
        _ = peer.ackAll(third)
        #expect(peer.state(.cluster).state == .synced)
    }

    @Test("a refused resource that disappears is removed, since the client may keep an older one")
    func nackThenGone() {
        var peer = DeltaPeer(view(lds: ["a": 1]))
        let first = peer.ask(.listener)
        _ = peer.ackAll(first)
        let second = peer.update(view(lds: ["a": 2]))
        _ = peer.ask(.listener, nonce: second[0].nonce, error: "no")
        #expect(peer.update(view()).text == ["lds -a"])
    }

    @Test("a rejection names the objects that shaped the resource")
    func nackSources() {
        let guilty = resource(.listener, "a", 1, sources: ["VirtualService ns/x", "Gateway ns/g"])
        var content = view()
        content.listeners = ResourceSet(type: .listener, resources: [guilty])
        var peer = DeltaPeer(content)
        let first = peer.ask(.listener)
        _ = peer.ask(.listener, nonce: first[0].nonce, error: "bad")
        #expect(peer.state(.listener).rejection?.sources == ["Gateway ns/g", "VirtualService ns/x"])
    }

    @Test("a long error message is cut")
    func longError() {
        var peer = DeltaPeer(view(lds: ["a": 1]))
        let first = peer.ask(.listener)
        _ = peer.ask(.listener, nonce: first[0].nonce, error: String(repeating: "x", count: 100_000))
        #expect(peer.state(.listener).rejection?.message.utf8.count == 4_096)
    }

    // MARK: Order

    @Test("one update goes out as clusters, endpoints, listeners, routes, secrets")
    func order() {
        var peer = DeltaPeer(view(cds: ["c": 1], eds: ["c": 1], lds: ["l": 1], rds: ["r": 1], sds: ["s": 1]))
        var answers = peer.ask(.secret, subscribe: ["s"]) + peer.ask(.route, subscribe: ["r"])
        answers += peer.ask(.listener) + peer.ask(.cluster) + peer.ask(.endpoints, subscribe: ["c"])
        _ = peer.ackAll(answers)
        let next = peer.update(view(cds: ["c": 2], eds: ["c": 2], lds: ["l": 2], rds: ["r": 2], sds: ["s": 2]))
        #expect(next.text == ["cds c=2", "eds c=2", "lds l=2", "rds r=2", "sds s=2"])
    }

    @Test("new routes wait for the clusters they may name; endpoints and secrets do not")
    func routesWaitForClusters() {
        var peer = DeltaPeer(view(cds: ["c": 1], eds: ["c": 1], lds: ["l": 1], rds: ["r": 1], sds: ["s": 1]))
        let clusters = peer.ask(.cluster)
        var answers = peer.ask(.endpoints, subscribe: ["c"]) + peer.ask(.listener)
        answers += peer.ask(.route, subscribe: ["r"]) + peer.ask(.secret, subscribe: ["s"])
        _ = peer.ackAll(answers)
        let newest = view(cds: ["c": 1, "d": 1], eds: ["c": 2], lds: ["l": 2], rds: ["r": 2], sds: ["s": 2])
        #expect(peer.update(newest).text == ["eds c=2", "sds s=2"])
        #expect(peer.ackAll(clusters).text == ["cds d=1", "lds l=2", "rds r=2"])
    }

    @Test("a route asked for while clusters wait is answered with them, and once")
    func dueRouteWhileClustersWait() {
        var peer = DeltaPeer(view(cds: ["c": 1], rds: ["r": 1, "q": 1]))
        let clusters = peer.ask(.cluster)
        let route = peer.ask(.route, subscribe: ["r"])
        _ = peer.ackAll(route)
        #expect(peer.update(view(cds: ["c": 2], rds: ["r": 2, "q": 2])).isEmpty)
        #expect(peer.ask(.route, subscribe: ["q"]).isEmpty)
        #expect(peer.ackAll(clusters).text == ["cds c=2", "rds q=2 r=2"])
    }

    @Test("endpoints and secrets asked for while clusters wait are answered at once, since the clusters wait for them")
    func dueEndpointsWhileClustersWait() {
        var peer = DeltaPeer(view(cds: ["c": 1], eds: ["c": 1], sds: ["s": 1]))
        _ = peer.ask(.cluster)
        #expect(peer.update(view(cds: ["c": 2], eds: ["c": 2], sds: ["s": 2])).isEmpty)
        #expect(peer.ask(.endpoints, subscribe: ["c"]).text == ["eds c=2"])
        #expect(peer.ask(.secret, subscribe: ["s"]).text == ["sds s=2"])
    }

    @Test("the endpoints of a changed cluster are sent anew, since the client warms it anew")
    func rewarming() {
        var peer = DeltaPeer(view(cds: ["a": 1, "b": 1], eds: ["a": 1, "b": 1]))
        let first = peer.ask(.cluster) + peer.ask(.endpoints, subscribe: ["a", "b"])
        _ = peer.ackAll(first)
        #expect(peer.update(view(cds: ["a": 2, "b": 1], eds: ["a": 1, "b": 1])).text == ["cds a=2", "eds a=1"])
    }

    @Test("a client that comes back gets the endpoints of changed clusters even if it holds them")
    func rewarmingAfterResume() {
        var peer = DeltaPeer(view(cds: ["a": 2, "b": 1], eds: ["a": 1, "b": 1]))
        let heldClusters = [
            "a": resource(.cluster, "a", 1).version.description, "b": resource(.cluster, "b", 1).version.description,
        ]
        let heldEndpoints = [
            "a": resource(.endpoints, "a", 1).version.description,
            "b": resource(.endpoints, "b", 1).version.description,
        ]
        #expect(peer.ask(.cluster, held: heldClusters).text == ["cds a=2"])
        #expect(peer.ask(.endpoints, subscribe: ["a", "b"], held: heldEndpoints).text == ["eds a=1"])
    }

    // MARK: Make before break

    /// A client with one of each, all acknowledged.
    private func settled(_ content: ResourceView) -> DeltaPeer {
        var peer = DeltaPeer(content)
        var answers = peer.ask(.cluster)
        answers += peer.ask(.endpoints, subscribe: content.endpoints.byName.keys.sorted())
        answers += peer.ask(.listener)
        answers += peer.ask(.route, subscribe: content.routes.byName.keys.sorted())
        _ = peer.ackAll(answers)
        return peer
    }

    @Test("a cluster is removed only after the routes of the same update are acknowledged")
    func removalWaits() {
        var peer = settled(view(cds: ["a": 1, "b": 1], lds: ["l": 1], rds: ["r": 1]))
        let next = peer.update(view(cds: ["b": 1, "c": 1], lds: ["l": 1], rds: ["r": 2]))
        #expect(next.text == ["cds c=1", "rds r=2"])
        #expect(peer.ack(next[0]).isEmpty)
        #expect(peer.ack(next[1]).text == ["cds -a"])
    }

    @Test("a cluster is removed at once if neither listeners nor routes change")
    func removalAtOnce() {
        var peer = settled(view(cds: ["a": 1, "b": 1], lds: ["l": 1], rds: ["r": 1]))
        #expect(peer.update(view(cds: ["b": 1], lds: ["l": 1], rds: ["r": 1])).text == ["cds -a"])
    }

    @Test("a cluster is removed at once if only routes change that this client does not use")
    func removalUnrelatedRoutes() {
        var peer = settled(view(cds: ["a": 1, "b": 1], lds: ["l": 1], rds: ["r": 1]))
        #expect(peer.update(view(cds: ["b": 1], lds: ["l": 1], rds: ["r": 1, "q": 1])).text == ["cds -a"])
    }

    @Test("endpoints of a removed cluster stay as long as the cluster")
    func endpointRemovalWaits() {
        var peer = settled(view(cds: ["a": 1], eds: ["a": 1], lds: ["l": 1], rds: ["r": 1]))
        let next = peer.update(view(rds: ["r": 2]))
        #expect(next.text == ["lds -l", "rds r=2"])
        #expect(peer.ack(next[0]).isEmpty)
        #expect(peer.ack(next[1]).text == ["cds -a", "eds -a"])
    }

    @Test("a refused route holds removals back, but not for ever")
    func removalAfterNack() {
        var peer = settled(view(cds: ["a": 1, "b": 1], lds: ["l": 1], rds: ["r": 1]))
        let next = peer.update(view(cds: ["b": 1], lds: ["l": 1], rds: ["r": 2]))
        #expect(next.text == ["rds r=2"])
        #expect(peer.ask(.route, nonce: next[0].nonce, error: "bad route").isEmpty)
        let action = peer.machine.next(at: peer.now)
        guard case .wait(until: .seconds(10)) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(peer.wait(9).isEmpty)
        #expect(peer.wait(1).text == ["cds -a"])
    }

    @Test("a silent client holds removals back, but not for ever")
    func removalWithSilence() {
        var peer = settled(view(cds: ["a": 1, "b": 1], lds: ["l": 1], rds: ["r": 1]))
        #expect(peer.update(view(cds: ["b": 1], lds: ["l": 1], rds: ["r": 2])).text == ["rds r=2"])
        #expect(peer.wait(10).text == ["cds -a"])
    }

    @Test("further updates do not prolong the wait of a removal")
    func removalNotProlonged() {
        var peer = settled(view(cds: ["a": 1, "b": 1, "c": 1], lds: ["l": 1], rds: ["r": 1]))
        _ = peer.update(view(cds: ["b": 1, "c": 1], lds: ["l": 1], rds: ["r": 2]))
        #expect(peer.wait(6).isEmpty)
        #expect(peer.update(view(cds: ["c": 1], lds: ["l": 1], rds: ["r": 3])).isEmpty)
        #expect(peer.wait(4).text == ["cds -a"])
    }

    @Test("a cluster that comes back before its removal went out sends nothing")
    func removalTakenBack() {
        var peer = settled(view(cds: ["a": 1], lds: ["l": 1], rds: ["r": 1]))
        let next = peer.update(view(lds: ["l": 1], rds: ["r": 2]))
        #expect(next.text == ["rds r=2"])
        #expect(peer.update(view(cds: ["a": 1], lds: ["l": 1], rds: ["r": 2])).isEmpty)
        #expect(peer.ackAll(next).isEmpty)
        #expect(peer.state(.cluster).state == .synced)
    }

    @Test("a client that comes back keeps its clusters until it has its routes")
    func resumeMakeBeforeBreak() {
        var peer = DeltaPeer(view(cds: ["b": 1], lds: ["l": 1], rds: ["r": 2]))
        let clusters = ["a": resource(.cluster, "a").version.description]
        #expect(peer.ask(.cluster, held: clusters).text == ["cds b=1"])
        #expect(peer.ask(.cluster, nonce: "n-1").isEmpty)
        #expect(peer.ask(.listener, held: ["l": resource(.listener, "l").version.description]).isEmpty)
        let routes = peer.ask(.route, subscribe: ["r"], held: ["r": resource(.route, "r").version.description])
        #expect(routes.text == ["rds r=2"])
        #expect(peer.ackAll(routes).text == ["cds -a"])
    }

    // MARK: Refusals

    @Test("too many names close the stream")
    func tooManyNames() {
        var limits = StreamLimits()
        limits.names = 3
        var peer = DeltaPeer(view(), limits: limits)
        _ = peer.ask(.endpoints, subscribe: ["a", "b", "c"])
        _ = peer.send(.endpoints, subscribe: ["d"])
        let action = peer.machine.next(at: peer.now)
        guard case .close(let status) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(status.code == .resourceExhausted)
    }

    @Test("too long a name closes the stream")
    func tooLongName() {
        var peer = DeltaPeer(view())
        _ = peer.send(.endpoints, subscribe: [String(repeating: "x", count: 1_025)])
        let action = peer.machine.next(at: peer.now)
        guard case .close(let status) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(status.code == .invalidArgument)
    }

    @Test("too many held versions close the stream")
    func tooManyHeld() {
        var limits = StreamLimits()
        limits.names = 2
        var peer = DeltaPeer(view(), limits: limits)
        let event = peer.send(.cluster, held: ["a": "", "b": "", "c": ""])
        guard case .refused = event else {
            Issue.record("\(event)")
            return
        }
    }

    @Test("a separate service refuses other types and serves a request that names none")
    func singleType() {
        var peer = DeltaPeer(view(cds: ["a": 1]), scope: .single(.cluster))
        #expect(peer.ask(.cluster).text == ["cds a=1"])
        let event = peer.send(.listener)
        guard case .refused = event else {
            Issue.record("\(event)")
            return
        }
    }

    @Test("requests with garbage or beyond the limit are refused before they are read")
    func decoding() {
        var limits = StreamLimits()
        limits.requestSize = 8
        #expect(throws: RequestFault.malformed) { try DeltaServerMachine.decode([0xff, 0xff], limits: limits) }
        #expect(throws: RequestFault.tooLarge(size: 9, limit: 8)) {
            try DeltaServerMachine.decode([UInt8](repeating: 0, count: 9), limits: limits)
        }
    }

    // MARK: Reports

    @Test("the status tells sent, acknowledged and counted")
    func status() {
        var peer = DeltaPeer(view(cds: ["a": 1, "b": 1]))
        #expect(peer.state(.cluster).state == .notSent)
        let first = peer.ask(.cluster)
        #expect(peer.state(.cluster).state == .stale)
        peer.now = .seconds(3)
        _ = peer.ackAll(first)
        let status = peer.state(.cluster)
        #expect(status.state == .synced)
        #expect(status.sent?.nonce == first[0].nonce)
        #expect(status.sent?.at == .seconds(0))
        #expect(status.acknowledged?.at == .seconds(3))
        #expect(status.isWildcard)
        #expect(status.counts.responses == 1)
        #expect(status.counts.resources == 2)
        #expect(status.counts.acknowledgements == 1)
        #expect(status.counts.bytes > 100)
        #expect(peer.state(.route).state == .notSent)
    }

    @Test("nonces never repeat within a stream, across types too")
    func nonces() {
        var peer = DeltaPeer(view(cds: ["a": 1], lds: ["l": 1]))
        let answers = peer.ask(.cluster) + peer.ask(.listener)
        #expect(answers.map(\.nonce) == ["n-1", "n-2"])
    }
}
