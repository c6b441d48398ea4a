internal import ApusCore
internal import ApusManifest
internal import ApusModel
internal import Testing

@Suite struct KubernetesKindTests {
    private struct Failure: Error {}

    private func read(_ text: String) throws -> ConfigObject {
        let file = ManifestReader.read(file: "f.yaml", text: Array(text.utf8))
        #expect(file.findings.map(Expectation.line) == [])
        return try #require(file.objects.first)
    }

    @Test func service() throws {
        let object = try read(
            """
            apiVersion: v1
            kind: Service
            metadata:
              name: a
              namespace: n
              labels: {app: x}
              annotations: {networking.istio.io/exportTo: "."}
              creationTimestamp: "2026-02-03T04:05:06.7+01:00"
              uid: 1234
            spec:
              type: LoadBalancer
              clusterIP: 10.0.0.1
              clusterIPs: [10.0.0.1, "fd00::1"]
              externalIPs: [192.0.2.1]
              ports:
              - {name: http, protocol: TCP, appProtocol: http, port: 80, targetPort: 8080, nodePort: 30080}
              - {name: tcp-b, port: 81, targetPort: web, unknownField: ignored}
              selector: {app: x}
              publishNotReadyAddresses: true
              internalTrafficPolicy: Local
              trafficDistribution: PreferClose
              sessionAffinity: None
            """)
        guard case .service(let spec) = object.spec else { throw Failure() }
        #expect(object.metadata.creationTimestamp == 1_770_087_906)
        #expect(object.metadata.labels == ["app": "x"])
        #expect(
            CompleteKindTests.untouched(spec, KubernetesService.init, "") == [".isHeadless", ".externalName"])
        #expect(CompleteKindTests.untouched(spec.ports[0], KubernetesService.Port.init, "port") == ["port.transport"])
        #expect(spec.ports[0].targetPort == .number(8080))
        #expect(spec.ports[1].targetPort == .name("web"))
        #expect(spec.clusterIPs == ["10.0.0.1", "fd00::1"])
    }

    @Test func aHeadlessServiceHasNoAddress() throws {
        let object = try read("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: None}\n")
        guard case .service(let spec) = object.spec else { throw Failure() }
        #expect(spec.isHeadless)
        #expect(spec.clusterIPs == [])
    }

    @Test func endpointSlice() throws {
        let object = try read(
            """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}
            addressType: IPv6
            endpoints:
            - addresses: ["fd00::1"]
              conditions: {ready: true, serving: true, terminating: false}
              hostname: h
              nodeName: node
              zone: z
              targetRef: {kind: Pod, name: a-0, namespace: default}
            ports:
            - {name: http, port: 80, protocol: SCTP, appProtocol: http}
            """)
        guard case .endpointSlice(let spec) = object.spec else { throw Failure() }
        #expect(CompleteKindTests.untouched(spec, EndpointSlice.init, "") == [])
        #expect(CompleteKindTests.untouched(spec.endpoints[0], EndpointSlice.Endpoint.init, "endpoint") == [])
        #expect(CompleteKindTests.untouched(spec.ports[0], EndpointSlice.Port.init, "port") == [])
        #expect(spec.endpoints[0].terminating == false)
    }

    @Test func endpoints() throws {
        let object = try read(
            """
            apiVersion: v1
            kind: Endpoints
            metadata: {name: a}
            subsets:
            - addresses: [{ip: 10.0.0.1, hostname: h, nodeName: node, targetRef: {kind: Pod, name: p}}]
              notReadyAddresses: [{ip: 10.0.0.2}]
              ports: [{name: http, port: 80}]
            """)
        guard case .endpoints(let spec) = object.spec else { throw Failure() }
        #expect(CompleteKindTests.untouched(spec.subsets[0], KubernetesEndpoints.Subset.init, "subset") == [])
        #expect(
            CompleteKindTests.untouched(spec.subsets[0].addresses[0], KubernetesEndpoints.Address.init, "address")
                == [])
    }

    @Test func pod() throws {
        let object = try read(
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a-0
              ownerReferences: [{kind: Other, name: o}, {controller: true, kind: ReplicaSet, name: a-5f}]
            spec:
              serviceAccountName: sa
              nodeName: node
              hostNetwork: true
              containers:
              - {name: app, ports: [{name: http, containerPort: 8080}]}
              - {name: side, ports: [{containerPort: 9090, protocol: UDP}]}
            status:
              phase: Running
              podIP: 10.0.0.1
              podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]
              conditions: [{type: Initialized, status: "False"}, {type: Ready, status: "True"}]
            """)
        guard case .pod(let spec) = object.spec else { throw Failure() }
        #expect(CompleteKindTests.untouched(spec, Pod.init, "") == [])
        #expect(spec.containerPorts.map(\.containerPort) == [8080, 9090])
        #expect(spec.owner == "ReplicaSet/a-5f")
        #expect(spec.ready == true)
        #expect(spec.podIPs == ["10.0.0.1", "fd00::1"])
    }

    @Test func aPodWithoutStatusSaysNothingOfReadiness() throws {
        let object = try read("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n")
        guard case .pod(let spec) = object.spec else { throw Failure() }
        #expect(spec.ready == nil)
        #expect(spec.serviceAccountName == "default")
    }

    @Test func secretsAreDecodedAndNeverPrinted() throws {
        let object = try read(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\n"
                + "data: {tls.key: c2VjcmV0}\nstringData: {tls.crt: plain}\n")
        guard case .secret(let spec) = object.spec else { throw Failure() }
        #expect(spec.type == "kubernetes.io/tls")
        #expect(spec.data["tls.key"]?.bytes == Array("secret".utf8))
        #expect(spec.data["tls.crt"]?.bytes == Array("plain".utf8))
        #expect(!"\(spec)".contains("115"))
    }

    @Test(arguments: [
        ("apps/v1", "Deployment", ""), ("apps/v1", "StatefulSet", ""), ("apps/v1", "DaemonSet", ""),
        ("apps/v1", "ReplicaSet", ""), ("batch/v1", "Job", ""), ("batch/v1", "CronJob", "jobTemplate: {spec: {"),
    ])
    func controllersShowTheirTemplate(_ apiVersion: String, _ kind: String, _ open: String) throws {
        let template =
            "template: {metadata: {labels: {app: x}, annotations: {b: c}}, "
            + "spec: {serviceAccountName: sa, containers: [{ports: [{containerPort: 80}]}]}}"
        let close = open.isEmpty ? "" : "}}"
        let object = try read(
            "apiVersion: \(apiVersion)\nkind: \(kind)\nmetadata: {name: a}\nspec: {\(open)\(template)\(close)}\n")
        guard case .workloadController(let spec) = object.spec else { throw Failure() }
        #expect(CompleteKindTests.untouched(spec, WorkloadController.init, "") == [])
    }

    @Test func clusterScopedKindsHaveNoNamespace() throws {
        #expect(try read("apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n").key.description == "Namespace /n")
        #expect(
            try read("apiVersion: v1\nkind: Node\nmetadata: {name: n, namespace: x}\n").key.description == "Node /n")
    }

    @Test func listsAreUnfolded() {
        let text = """
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
            - apiVersion: v1
              kind: ServiceAccount
              metadata: {name: b}
            - apiVersion: networking.istio.io/v1
              kind: DestinationRuleList
              items:
              - {apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: c}, spec: {host: d}}
            """
        let file = ManifestReader.read(file: "f.yaml", text: Array(text.utf8))
        #expect(file.findings.isEmpty)
        #expect(
            file.objects.map(\.key.description)
                == ["ConfigMap default/a", "ServiceAccount default/b", "DestinationRule default/c"])
        #expect(file.objects[1].origin.location.description == "f.yaml:5:3")
        #expect(file.objects[2].origin.location(of: "spec.host").description == "f.yaml:11:99")
    }
}
