internal import ApusCore
internal import ApusManifest
internal import ApusModel
internal import Testing

/// What is right must stay without findings: a check that cries wolf is switched off.
@Suite struct GoodFolderTests {
    private let folder = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: cart, namespace: shop}
        spec:
          clusterIP: 10.0.0.1
          selector: {app: cart}
          ports: [{name: http, port: 80, targetPort: 8080}]
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: cart-1, namespace: shop, labels: {app: cart, version: v1}}
        spec: {containers: [{ports: [{containerPort: 8080}]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: gateway-1, namespace: edge, labels: {app: gateway}}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: cart-a, namespace: shop, labels: {kubernetes.io/service-name: cart}}
        addressType: IPv4
        endpoints: [{addresses: [10.1.0.1], targetRef: {kind: Pod, name: cart-1}}]
        ports: [{name: http, port: 8080}]
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: edge, namespace: edge}
        spec:
          selector: {app: gateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.shop.example", "shop/shop.example"]}
          - {port: {number: 81, name: http-b, protocol: HTTP2}, hosts: ["*"]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: cart, namespace: shop}
        spec:
          hosts: [cart.shop.example, shop.example]
          gateways: [edge/edge]
          http:
          - match: [{uri: {prefix: /a}, headers: {x: {exact: "1"}}}]
            route: [{destination: {host: cart, subset: v1, port: {number: 80}}}]
          - match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}]
            route: [{destination: {host: cart.shop.svc.cluster.local}}]
          - delegate: {name: rest, namespace: shop}
          - route: [{destination: {host: a.partner.example}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: rest, namespace: shop}
        spec: {http: [{match: [{uri: {exact: /c}}], route: [{destination: {host: cart}}]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: mesh-cart, namespace: shop}
        spec: {hosts: [cart], exportTo: [".", edge], http: [{route: [{destination: {host: cart}}]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: cart, namespace: other}
        spec: {hosts: [cart.shop.svc.cluster.local], exportTo: ["."], http: [{route: [{destination: {host: cart.shop.svc.cluster.local}}]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: cart, namespace: shop}
        spec: {host: cart, subsets: [{name: v1, labels: {version: v1}}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: partner, namespace: shop}
        spec: {hosts: ["*.partner.example"], ports: [{number: 443, name: tls, protocol: TLS}], resolution: NONE}
        ---
        apiVersion: networking.istio.io/v1
        kind: Sidecar
        metadata: {name: default, namespace: shop}
        spec: {egress: [{hosts: ["./*", "istio-system/*"]}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: Sidecar
        metadata: {name: cart, namespace: shop}
        spec: {workloadSelector: {labels: {app: cart}}, egress: [{hosts: ["*/*"]}]}
        """

    @Test func aGoodFolderHasNoFindings() {
        let file = ManifestReader.read(file: "f.yaml", text: Array(folder.utf8))
        #expect(file.findings.map(Expectation.line) == [])
        #expect(file.objects.count == 14)
        #expect(FolderAnalysis.findings(objects: file.objects).map(Expectation.line) == [])
    }

    @Test(arguments: FolderAnalysisTests.folder)
    func theOrderOfTheObjectsDoesNotMatter(_ expectation: Expectation) {
        let objects = ManifestReader.read(file: "f.yaml", text: Array(expectation.text.utf8)).objects
        #expect(FolderAnalysis.findings(objects: objects.reversed()) == FolderAnalysis.findings(objects: objects))
    }

    @Test(arguments: [
        (["*.example.com", "*.a.example.com"], 1), (["*", "x.example"], 1), (["a.example", "b.example"], 0),
        (["*.example.com", "example.com"], 0), (["*.a.example", "*.b.example"], 0), (["A.example", "a.Example"], 1),
        (["*-test.example", "b-test.example"], 1),
    ])
    func overlappingHostsAreFoundInAnyOrder(_ hosts: [String], _ count: Int) {
        for list in [hosts, hosts.reversed()] {
            let names = list.map { "\"\($0)\"" }.joined(separator: ", ")
            let file = ManifestReader.read(
                file: "f.yaml",
                text: Array(
                    ("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: "
                        + "{hosts: [\(names)], gateways: [g], http: [{route: [{destination: {host: b}}]}]}\n").utf8))
            #expect(file.findings.count { $0.severity == .error } == count)
        }
    }
}
