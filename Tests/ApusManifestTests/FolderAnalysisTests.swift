internal import ApusManifest
internal import Testing

/// Objects that are good by themselves and wrong beside each other.
///
/// Each text is followed by every finding it must have: `line:column severity CODE message | hint`.
@Suite struct FolderAnalysisTests {
    static let folder: [Expectation] = [
        Expectation(
            #"one object in two places"#,
            #"""
            apiVersion: v1
            kind: Pod
            metadata: {name: b-0, labels: {app: b, version: v1}}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: b-0, labels: {app: b, version: v1}}
            """#,
            [
                #"1:1 error APUS0014 Pod default/b-0 is also defined at f.yaml:5:1 | remove one of them, or give it another name"#,
                #"5:1 error APUS0014 Pod default/b-0 is also defined at f.yaml:1:1 | remove one of them, or give it another name"#,
            ]),
        Expectation(
            #"a route to an unknown host"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: bb}
            """#,
            [
                #"16:27 error IST0101 the host "bb" is not known to the mesh: no Service or ServiceEntry is bb.default.svc.cluster.local | did you mean b.default.svc.cluster.local?"#
            ]),
        Expectation(
            #"a host with its namespace only"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b.default}
            """#,
            [
                #"16:27 error IST0101 the host "b.default" is not known to the mesh: no Service or ServiceEntry is b.default | write b.default.svc.cluster.local"#
            ]),
        Expectation(
            #"a route to an unknown subset"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b, subset: v9}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              subsets: [{name: v1}]
            """#,
            [
                #"16:38 error IST0101 the subset "v9" of "b" is in no DestinationRule | the subsets of this host are v1"#
            ]),
        Expectation(
            #"a subset without DestinationRule"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b, subset: v1}
            """#,
            [
                #"16:38 error IST0101 the subset "v1" of "b" is in no DestinationRule | write a DestinationRule for b.default.svc.cluster.local with this subset"#
            ]),
        Expectation(
            #"a port the service does not have"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b, port: {number: 81}}
            """#,
            [
                #"16:30 error APUS0016 the host "b" has no port 81 | it has 80"#
            ]),
        Expectation(
            #"no port for a service with several"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
              - {name: http-b, port: 81}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"17:27 warning IST0112 the host "b" has several ports and the destination names none, so the port of the listener is used | add port.number: one of 80, 81"#
            ]),
        Expectation(
            #"an unknown gateway"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b.example]
              gateways: [other/gw]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"14:14 error IST0101 the gateway other/gw does not exist"#
            ]),
        Expectation(
            #"an unknown delegate"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - match: [{uri: {prefix: /x}}]
                delegate: {name: c}
            """#,
            [
                #"16:22 error IST0101 the delegate VirtualService default/c does not exist"#
            ]),
        Expectation(
            #"two VirtualServices for one mesh host"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b]
              http:
              - route:
                - destination: {host: b}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: c}
            spec:
              hosts: [b.default.svc.cluster.local]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"13:11 error IST0109 the host b.default.svc.cluster.local is also claimed for the mesh by default/c (f.yaml:18:1); this one is the oldest, and only it is used | merge them into one VirtualService"#,
                #"22:11 error IST0109 the host b.default.svc.cluster.local is also claimed for the mesh by default/a (f.yaml:9:1); an older one is used, and not this | merge them into one VirtualService"#,
            ]),
        Expectation(
            #"a host in no server of the gateway"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: [a.example]
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b.example]
              gateways: [a]
              http:
              - route:
                - destination: {host: b}
            """#,
            [
                #"21:11 warning IST0132 the host "b.example" is in no server of the VirtualService's gateways"#
            ]),
        Expectation(
            #"two policies for one host"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy: {loadBalancer: {simple: RANDOM}}
              subsets: [{name: v1}]
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: c}
            spec:
              host: b.default.svc.cluster.local
              trafficPolicy: {loadBalancer: {simple: RANDOM}}
              subsets: [{name: v1}]
            """#,
            [
                #"22:3 warning APUS0015 the trafficPolicy is not used: DestinationRule default/a (f.yaml:9:1) has one for the same host | keep one trafficPolicy for each host"#,
                #"23:20 warning APUS0015 the subset "v1" is not used: DestinationRule default/a (f.yaml:9:1) has one of that name for the same host | give it another name"#,
            ]),
        Expectation(
            #"a DestinationRule for an unknown host"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: c
            """#,
            [
                #"13:9 warning IST0101 the host "c" is not known to the mesh: no Service or ServiceEntry is c.default.svc.cluster.local | did you mean b.default.svc.cluster.local?"#
            ]),
        Expectation(
            #"a subset that no endpoint has"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: b-0, labels: {app: b, version: v1}}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              subsets:
              - name: v2
                labels: {version: v2}
            """#,
            [
                #"20:5 warning APUS0019 no endpoint of "b" has the labels of the subset "v2": requests to it get 503 | the labels are version=v2"#
            ]),
        Expectation(
            #"a gateway that no workload has"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              selector: {istio: ingress}
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: [a.example]
            """#,
            [
                #"5:3 warning IST0101 no Pod or workload in the folder has the labels istio=ingress | only a gateway proxy that connects with these labels is served"#
            ]),
        Expectation(
            #"two gateways for one host and port"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: [a.example]
            ---
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: c}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: [a.example]
            """#,
            [
                #"15:13 error IST0145 the host "a.example" on port 80 is also served by Gateway default/a (f.yaml:1:1) on the same proxies | keep one of them"#
            ]),
        Expectation(
            #"two protocols on one gateway port"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: [a.example]
              - port: {number: 80, name: tcp, protocol: TCP}
                hosts: ["*"]
            """#,
            [
                #"8:45 error IST0145 the port 80 cannot speak TCP: Gateway default/a (f.yaml:1:1) opens it with HTTP | use another port"#
            ]),
        Expectation(
            #"two Sidecars without selector"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              egress: [{hosts: ["./*"]}]
            ---
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: c}
            spec:
              egress: [{hosts: ["./*"]}]
            """#,
            [
                #"4:1 error IST0111 the namespace default has 2 Sidecars without workloadSelector; a is used | keep one of them"#,
                #"10:1 error IST0111 the namespace default has 2 Sidecars without workloadSelector; a is used | keep one of them"#,
            ]),
        Expectation(
            #"two Sidecars for one workload"#,
            #"""
            apiVersion: v1
            kind: Pod
            metadata: {name: b-0, labels: {app: b, version: v1}}
            ---
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              workloadSelector: {labels: {app: b}}
              egress: [{hosts: ["./*"]}]
            ---
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: c}
            spec:
              workloadSelector: {labels: {version: v1}}
              egress: [{hosts: ["./*"]}]
            """#,
            [
                #"9:3 error IST0110 the workload b-0 is also selected by the Sidecar c | make the selectors exclude each other"#,
                #"16:3 error IST0110 the workload b-0 is also selected by the Sidecar a | make the selectors exclude each other"#,
            ]),
        Expectation(
            #"a selector that matches nothing"#,
            #"""
            apiVersion: v1
            kind: Pod
            metadata: {name: b-0, labels: {app: b, version: v1}}
            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: a}
            spec:
              selector: {matchLabels: {app: c}}
              mtls: {mode: STRICT}
            """#,
            [
                #"9:3 info IST0127 no Pod or workload of the namespace default has the labels app=c"#
            ]),
        Expectation(
            #"an export to an unknown namespace"#,
            #"""
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec:
              selector: {app: b}
              ports:
              - {name: http, port: 80}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              exportTo: [defualt]
            """#,
            [
                #"14:14 warning IST0101 the namespace "defualt" has no objects in the folder | did you mean default?"#
            ]),
        Expectation(
            #"endpoints of an unknown service"#,
            #"""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: a
              labels:
                kubernetes.io/service-name: nobody
            addressType: IPv4
            endpoints: []
            """#,
            [
                #"6:33 warning IST0101 the Service default/nobody does not exist, so the endpoints are not used"#
            ]),
    ]

    @Test(arguments: folder)
    func folderFindings(_ expectation: Expectation) {
        #expect(expectation.analyse() == expectation.findings)
    }
}
