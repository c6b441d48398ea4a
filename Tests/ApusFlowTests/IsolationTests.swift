internal import ApusCompiler
internal import ApusCore
internal import ApusManifest
internal import ApusMesh
internal import ApusModel
internal import Testing

/// What is wrong with one object stays with that object.
@Suite struct IsolationTests {
    private static let good = [
        FlowMesh.service("a", number: 1), FlowMesh.service("b", number: 2),
        """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: a, namespace: default}
        spec:
          hosts: [a]
          http: [{match: [{uri: {prefix: /b}}], route: [{destination: {host: b}}]}, {route: [{destination: {host: a}}]}]
        """,
    ].joined(separator: "\n---\n")

    private static func versions(_ view: ResourceView) -> [String: ContentVersion] {
        var result: [String: ContentVersion] = [:]
        for type in ResourceType.allCases {
            for (name, resource) in view[type].byName { result["\(type) \(name)"] = resource.version }
        }
        return result
    }

    @Test(
        arguments: [
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: bad}\nspec: {hosts: [b], http: 5}",
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: bad}\nspec: {hosts: []}",
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: bad}\n"
                + "spec: {hosts: [b], http: [{match: [{uri: {regex: \"(\"}}], route: [{destination: {host: a}}]}]}",
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: bad}\n"
                + "spec: {host: a, trafficPolicy: {outlierDetection: {interval: -1s}}}",
            "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 70000}]}",
            "apiVersion: v1\nkind: Service\nkind: Pod\nmetadata: {name: bad}",
            "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: bad}\nspec: {egress: [{hosts: [x]}]}",
        ])
    func `a bad object beside good ones changes no resource of any proxy`(bad: String) {
        let mesh = FlowMesh(Self.good)
        for text in ["\(Self.good)\n---\n\(bad)", "\(bad)\n---\n\(Self.good)"] {
            let damaged = FlowMesh(text: text)
            #expect(damaged.file.findings.contains { $0.severity == .error })
            #expect(damaged.file.objects.count == mesh.file.objects.count)
            for proxy in [FlowMesh.sidecar, FlowMesh.gateway] {
                #expect(Self.versions(damaged.view(proxy)) == Self.versions(mesh.view(proxy)))
            }
        }
    }

    @Test func `a route to a host that does not exist leaves the other routes of its host alone`() throws {
        let mesh = FlowMesh(
            Self.good,
            """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: b, namespace: default}
            spec:
              hosts: [b]
              http:
                - {match: [{uri: {prefix: /lost}}], route: [{destination: {host: nobody}}]}
                - {route: [{destination: {host: b}}]}
            """)
        let engine = mesh.engine(FlowMesh.sidecar)
        #expect(engine.refusals == [])
        #expect(try engine.decide("80", host: "b", path: "/") == "cluster outbound|80||b.default.svc.cluster.local")
        let lost = try engine.decide("80", host: "b", path: "/lost")
        #expect(lost == "cluster outbound|80||nobody.default.svc.cluster.local")
    }
}
