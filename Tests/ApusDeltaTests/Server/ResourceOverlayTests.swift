import ApusCore
import Testing

@Suite("A workload's resources over its class's")
struct ResourceOverlayTests {
    private struct Random {
        var state: UInt64

        mutating func next(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
    }

    private static func resource(_ name: String, _ text: String) -> EncodedResource {
        EncodedResource(name: name, body: Array("\(name)=\(text)".utf8))
    }

    private static func contents(_ set: ResourceSet) -> [String: ContentVersion] {
        Dictionary(uniqueKeysWithValues: set.byName.map { ($0.key, $0.value.version) })
    }

    /// The same by plain means.
    private static func plain(
        _ base: ResourceSet, own: [EncodedResource], hidden: Set<String>
    ) -> ResourceSet {
        let masked = hidden.union(own.map(\.name))
        return ResourceSet(
            type: base.type, resources: base.byName.values.filter { !masked.contains($0.name) } + own)
    }

    @Test("Contents, size and version are those of a set of its own")
    func contents() {
        let base = ResourceSet(
            type: .cluster, resources: ["a", "b", "c"].map { Self.resource($0, "class") })
        let own = [Self.resource("b", "mine"), Self.resource("z", "mine")]
        let set = ResourceSet.overlay(on: base, own: own, hidden: ["c", "nowhere"])
        let plain = Self.plain(base, own: own, hidden: ["c", "nowhere"])
        #expect(Self.contents(set) == Self.contents(plain))
        #expect(set.version == plain.version)
        #expect(set.byName.keys.sorted() == ["a", "b", "z"])
        #expect(set.byName.count == 3)
        #expect(set.byName["c"] == nil)
        #expect(set.byName["nowhere"] == nil)
        #expect(set.byName["b"] === own[0])
        #expect(set.byName["a"] === base.byName["a"])
    }

    @Test("Without anything of its own it is the class's set itself")
    func nothing() {
        let base = ResourceSet(type: .cluster, resources: [Self.resource("a", "class")])
        #expect(ResourceSet.overlay(on: base, own: [], hidden: []) === base)
    }

    @Test("A change of the class that is covered by the workload's own changes nothing, not even the instance")
    func covered() {
        let base = ResourceSet(type: .cluster, resources: ["a", "b"].map { Self.resource($0, "class") })
        let own = [Self.resource("b", "mine")]
        let set = ResourceSet.overlay(on: base, own: own, hidden: [])
        let next = base.applying(changed: [Self.resource("b", "newer")], removed: [])
        #expect(ResourceSet.overlay(on: next, own: own, hidden: [], after: (set, base)) === set)
    }

    @Test("However the class changes, the way from one set to the next leads there", arguments: 0..<20)
    func steps(_ seed: UInt64) {
        var random = Random(state: seed &* 77 &+ 3)
        let names = (0..<12).map { "r\($0)" }
        let own = [Self.resource("r1", "mine"), Self.resource("own", "mine")]
        let hidden: Set<String> = ["r2", "r3"]
        var base = ResourceSet(type: .cluster, resources: names.prefix(6).map { Self.resource($0, "0") })
        var set = ResourceSet.overlay(on: base, own: own, hidden: hidden)
        for _ in 0..<30 {
            let changed = (0..<random.next(3)).map { _ in
                Self.resource(names[Int(random.next(12))], String(random.next(4)))
            }
            let gone = (0..<random.next(2)).map { _ in names[Int(random.next(12))] }
                .filter { name in !changed.contains { $0.name == name } }
            let nextBase = base.applying(changed: changed, removed: gone)
            let next = ResourceSet.overlay(on: nextBase, own: own, hidden: hidden, after: (set, base))
            let plain = Self.plain(nextBase, own: own, hidden: hidden)
            #expect(Self.contents(next) == Self.contents(plain))
            #expect(next.version == plain.version)
            #expect(next.byName.count == plain.byName.count)
            var walked = Self.contents(set)
            let diff = next.diff(since: set)
            for resource in diff.changed { walked[resource.name] = resource.version }
            for name in diff.removed { walked[name] = nil }
            #expect(walked == Self.contents(next))
            (base, set) = (nextBase, next)
        }
    }

    @Test("The names of types that are asked for one by one are kept, and follow every change")
    func names() {
        let one = ResourceSet(type: .endpoints, resources: ["a", "b"].map { Self.resource($0, "1") })
        #expect(one.names == ["a", "b"])
        #expect(one.applying(changed: [Self.resource("a", "2")], removed: []).names == ["a", "b"])
        #expect(one.applying(changed: [Self.resource("c", "2")], removed: ["a"]).names == ["b", "c"])
        #expect(ResourceSet(type: .cluster, resources: [Self.resource("a", "1")]).names == nil)
    }
}
