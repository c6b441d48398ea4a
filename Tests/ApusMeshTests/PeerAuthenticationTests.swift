import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("PeerAuthentication")
struct PeerAuthenticationTests {
    private func policy(
        _ name: String, in namespace: String = "default", _ mode: PeerAuthentication.Mode?,
        selector: [String: String]? = nil, ports: [UInt32: PeerAuthentication.Mode] = [:], created: Int64? = nil
    ) -> ConfigObject {
        var spec = PeerAuthentication()
        spec.mtls = mode
        spec.selector = selector
        spec.portLevelMtls = ports
        return Make.object(.peerAuthentication, name, in: namespace, created: created, .peerAuthentication(spec))
    }

    private func effective(
        _ objects: [ConfigObject], in namespace: String = "default", _ labels: [String: String] = ["app": "a"]
    ) -> PeerPolicy {
        MeshSnapshot.make(objects: objects).peerAuthentications.policy(namespace: namespace, labels: labels)
    }

    @Test("Without any policy everything is PERMISSIVE")
    func none() { #expect(effective([]) == PeerPolicy()) }

    @Test("The namespace's policy stands before the mesh's, the workload's before both")
    func levels() {
        let mesh = policy("mesh", in: "istio-system", .strict)
        let namespace = policy("all", .disable)
        let workload = policy("a", .permissive, selector: ["app": "a"])
        #expect(effective([mesh]).mode == .strict)
        #expect(effective([mesh, namespace]).mode == .disable)
        #expect(effective([mesh, namespace, workload]).mode == .permissive)
        #expect(effective([mesh, namespace, workload], ["app": "b"]).mode == .disable)
        #expect(effective([mesh, namespace, workload], in: "other").mode == .strict)
        #expect(
            effective([mesh, namespace, workload]).sources.map(\.name.name) == ["mesh", "all", "a"])
    }

    @Test("UNSET, and a block that is not there, inherit")
    func unset() {
        let mesh = policy("mesh", in: "istio-system", .strict)
        #expect(effective([mesh, policy("all", .unset)]).mode == .strict)
        #expect(effective([mesh, policy("all", nil)]).mode == .strict)
        let workload = policy("a", .unset, selector: ["app": "a"], ports: [1: .unset, 2: .disable])
        let result = effective([mesh, workload])
        #expect(result.mode == .strict && result.ports == [1: .strict, 2: .disable])
        #expect(result.mode(ofPort: 2) == .disable && result.mode(ofPort: 3) == .strict)
    }

    @Test("The oldest of a level wins")
    func oldest() {
        #expect(effective([policy("b", .strict, created: 1), policy("a", .disable, created: 2)]).mode == .strict)
        #expect(effective([policy("b", .strict), policy("a", .disable)]).mode == .disable)
        let selector = ["app": "a"]
        #expect(
            effective([
                policy("b", .strict, selector: selector, created: 1),
                policy("a", .disable, selector: selector, created: 2),
            ]).mode == .strict)
    }

    @Test("Ports count only where workloads are selected")
    func ports() {
        #expect(effective([policy("all", .strict, ports: [80: .disable])]).ports == [:])
    }

    @Test("A selector in the root namespace selects nothing elsewhere")
    func rootSelector() {
        #expect(
            effective([policy("x", in: "istio-system", .strict, selector: ["app": "a"])]).mode == .permissive)
    }

    @Test("An edit of a policy is a new index and a change, any other edit keeps the index")
    func edits() {
        let before = mesh(Make.service("web"), policy("all", .strict))
        #expect(before.updated(changed: [Make.service("db")]).peerAuthentications === before.peerAuthentications)
        let after = before.updated(changed: [policy("all", .disable)])
        #expect(after.peerAuthentications.mode(namespace: "default") == .disable)
        #expect(after.changes(since: before).kinds == [.peerAuthentication])
        #expect(
            after.updated(changed: [], removed: [policy("all", .disable).key]).peerAuthentications
                .mode(namespace: "default") == .permissive)
    }

    @Test(
        "Who counts as a member of the mesh",
        arguments: [
            (["security.istio.io/tlsMode": "istio"], [:], true),
            (["security.istio.io/tlsMode": "disabled"], [:], false),
            ([:], ["sidecar.istio.io/status": "{}"], true), ([:], [:], false),
            (["security.istio.io/tlsMode": "disabled"], ["sidecar.istio.io/status": "{}"], false),
        ] as [([String: String], [String: String], Bool)])
    func members(labels: [String: String], annotations: [String: String], isMember: Bool) throws {
        var spec = Pod()
        spec.podIPs = ["10.0.0.1"]
        spec.phase = "Running"
        let pod = Make.object(
            .pod, "web-1", labels: labels.merging(["app": "web"]) { $1 }, annotations: annotations, .pod(spec))
        let snapshot = mesh(Make.service("web", selector: ["app": "web"]), pod)
        let service = try #require(snapshot.services.first)
        let endpoints = snapshot.endpoints(of: service)
        #expect(endpoints.byPort[80]?.map(\.acceptsMutualTLS) == [isMember])
        #expect(endpoints.accounts == ["ns/default/sa/default"])
    }
}
