import ApusControlPlane
import ApusCore
import ApusMesh
import Testing

struct StreamHandleTests {
    private static func view(_ name: String) -> ResourceView {
        ResourceView(clusters: ResourceSet(type: .cluster, resources: [EncodedResource(name: name, body: [])]))
    }

    private let handle = StreamHandle(
        id: 1, proxy: Proxy(id: "a.default", namespace: "default", addresses: ["10.0.0.1"]), peer: "", isDelta: true,
        view: view("first"))

    private func name(_ view: ResourceView?) -> String? { view?.clusters.byName.keys.first }

    @Test func aSlowReaderSeesTheNewestOnce() async {
        for name in ["a", "b", "c"] { handle.post(Self.view(name)) }
        #expect(name(handle.view) == "c")
        #expect(name(await handle.next()) == "c")
        handle.post(Self.view("d"))
        #expect(name(await handle.next()) == "d")
    }

    @Test func aWaitingReaderIsWokenByThePost() async {
        async let next = handle.next()
        handle.post(Self.view("a"))
        #expect(name(await next) == "a")
    }

    @Test func nothingFollowsTheEnd() async {
        async let next = handle.next()
        handle.close()
        #expect(await next == nil)
        handle.post(Self.view("a"))
        #expect(await handle.next() == nil)
        handle.close()
    }

    @Test func theNodeIsWrittenAsOnTheWire() {
        #expect(handle.nodeID == "sidecar~10.0.0.1~a.default~default.svc.cluster.local")
    }
}
