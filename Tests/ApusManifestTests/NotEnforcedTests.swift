internal import ApusManifest
internal import Testing

/// What is understood and has no effect yet is said where it is written, field by field.
///
/// Each text is followed by every finding it must have: `line:column severity CODE message | hint`.
@Suite struct NotEnforcedTests {
    static let rows: [Expectation] = [
        Expectation(
            #"a destination rule's settings on every level"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  zoneAwareLbSetting: {enabled: true}
                outlierDetection:
                  consecutive5xxErrors: 3
                  outlierDetectionHttpErrorCodes: [429]
                portLevelSettings:
                - port: {number: 80}
                  loadBalancer: {zoneAwareLbSetting: {minClusterSize: 2}}
              subsets:
              - name: v1
                labels: {version: v1}
                trafficPolicy:
                  tls: {mode: SIMPLE, credentialName: partner}
            """#,
            [
                #"8:7 warning APUS0900 zoneAwareLbSetting is understood but not yet enforced: the client's region comes first, but zones in it get requests by their endpoints alone"#,
                #"14:22 warning APUS0900 zoneAwareLbSetting is understood but not yet enforced: the client's region comes first, but zones in it get requests by their endpoints alone"#,
                #"19:43 info APUS0900 only gateways read the Secret: sidecars do for a rule with a workloadSelector"#,
            ]),
        Expectation(
            #"policies that are attached to an object"#,
            #"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: a}
            spec:
              targetRefs: [{kind: Service, name: b}]
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a}
            spec:
              targetRefs: [{kind: Service, name: b}]
            """#,
            [
                #"2:7 warning APUS0900 RequestAuthentication is understood but not yet enforced: in gRPC programs tokens are NOT being checked by it"#,
                #"5:3 warning APUS0900 targetRefs is understood but not yet enforced: tokens are NOT being checked by it"#,
                #"8:7 warning APUS0900 AuthorizationPolicy is understood but not yet enforced: in gRPC programs requests are NOT being restricted by it; CUSTOM denies"#,
                #"11:3 warning APUS0900 targetRefs is understood but not yet enforced: requests are NOT being restricted by it"#,
            ]),
        Expectation(
            #"settings that are carried out"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: b
              trafficPolicy:
                loadBalancer:
                  zoneAwareLbSetting: {enabled: false}
                outlierDetection: {consecutive5xxErrors: 3, outlierDetectionHttpErrorCodes: [429, 503]}
                tunnel: {targetHost: t.example, targetPort: 443}
            """#,
            []),
        Expectation(
            #"a gateway server that needs the mesh's TLS behind it"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: a}
            spec:
              selector: {app: g}
              servers:
              - port: {number: 15443, name: tls, protocol: TLS}
                hosts: ["*.local"]
                tls: {mode: AUTO_PASSTHROUGH}
              - port: {number: 27017, name: mongo, protocol: MONGO}
                hosts: ["*"]
            """#,
            [
                #"10:50 info APUS0900 mongo is treated as TCP: its messages are not looked into"#
            ]),
        Expectation(
            #"addresses in TCP matches"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: a}
            spec:
              hosts: [b.example]
              gateways: [mesh, g]
              tcp:
              - match:
                - {port: 1, destinationSubnets: [10.0.0.0/8], gateways: [mesh]}
                - {port: 2, destinationSubnets: [10.0.0.0/8]}
                - {port: 3, sourceSubnet: 10.0.0.0/8}
                route: [{destination: {host: b.example}}]
            """#,
            [
                #"10:17 warning APUS0900 destinationSubnets is understood but not yet enforced: a Gateway's server takes connections to any address"#,
                #"11:31 warning APUS0900 sourceSubnet is understood but not yet enforced: clients of every address match"#,
            ]),
        Expectation(
            #"networks, names and protocols of a ServiceEntry"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [db.example]
              addresses: [10.9.0.1]
              resolution: STATIC
              location: MESH_EXTERNAL
              ports: [{number: 3306, name: db, protocol: MySQL}]
              subjectAltNames: [spiffe://x/y]
              endpoints: [{address: 10.0.0.1, network: other}]
            """#,
            [
                #"9:46 info APUS0900 mysql is treated as TCP: its messages are not looked into"#,
                #"11:44 warning APUS0900 the network other is understood but not yet enforced: its endpoints are called directly, without a gateway"#,
            ]),
        Expectation(
            #"the network of a WorkloadEntry"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: a}
            spec: {address: 10.0.0.1, network: other}
            """#,
            [
                #"4:36 warning APUS0900 the network other is understood but not yet enforced: its endpoints are called directly, without a gateway"#
            ]),
        Expectation(
            #"a WorkloadGroup and its probe"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: WorkloadGroup
            metadata: {name: a}
            spec:
              metadata: {annotations: {proxy.istio.io/config: "{}"}}
              template: {network: other}
              probe: {tcpSocket: {port: 80}}
            """#,
            [
                #"2:7 warning APUS0900 WorkloadGroup is understood but not yet enforced: workloads are not registered from it"#,
                #"5:51 warning APUS0900 the annotation proxy.istio.io/config is understood but not yet enforced: it has no effect here"#,
                #"6:23 warning APUS0900 the network other is understood but not yet enforced: its endpoints are called directly, without a gateway"#,
                #"7:3 warning APUS0900 probe is understood but not yet enforced: the workloads' health is not checked"#,
            ]),
        Expectation(
            #"a Sidecar's own TLS and mode"#,
            #"""
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: a}
            spec:
              workloadSelector: {labels: {app: a}}
              outboundTrafficPolicy: {mode: ALLOW_ANY}
              ingress:
              - port: {number: 443, name: https, protocol: HTTPS}
                defaultEndpoint: 127.0.0.1:80
                tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}
              - port: {number: 6379, name: redis, protocol: REDIS}
                defaultEndpoint: 127.0.0.1:6379
            """#,
            [
                #"10:5 warning APUS0900 tls is understood but not yet enforced: the port takes connections without it"#,
                #"11:49 info APUS0900 redis is treated as TCP: its messages are not looked into"#,
            ]),
        Expectation(
            #"annotations of a Pod template and protocols of a Service"#,
            #"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: a, annotations: {other.example/x: y}}
            spec:
              template:
                metadata:
                  annotations:
                    proxy.istio.io/config: "{}"
                    sidecar.istio.io/status: "{}"
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: a
              annotations:
                networking.istio.io/exportTo: "."
                ambient.istio.io/redirection: enabled
            spec:
              ports:
              - {name: mongo-main, port: 27017}
              - {name: cache, port: 6379, appProtocol: redis}
              - {name: mysql, port: 3306, protocol: UDP}
            """#,
            [
                #"8:32 warning APUS0900 the annotation proxy.istio.io/config is understood but not yet enforced: it has no effect here"#,
                #"17:35 warning APUS0900 the annotation ambient.istio.io/redirection is understood but not yet enforced: it has no effect here"#,
                #"20:12 info APUS0900 mongo is treated as TCP: its messages are not looked into"#,
                #"21:44 info APUS0900 redis is treated as TCP: its messages are not looked into"#,
            ]),
    ]

    @Test("What has no effect yet is said where it is written", arguments: rows)
    func objects(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let meshConfigs: [Expectation] = [
        Expectation(
            #"mesh settings that ask for what is missing"#,
            #"""
            enableAutoMtls: true
            enableTracing: true
            inboundClusterStatName: "%SERVICE%"
            enablePrometheusMerge: true
            verifyCertificateAtClient: false
            ingressService: gateway
            ingressSelector: gateway
            zoneAwareLbSetting: {}
            """#,
            [
                #"2:1 warning APUS0900 enableTracing is understood but not yet enforced: no spans are sent"#,
                #"3:1 warning APUS0900 inboundClusterStatName is understood but not yet enforced: inbound clusters keep their own names"#,
                #"4:1 warning APUS0900 enablePrometheusMerge is understood but not yet enforced: metrics of applications are not merged"#,
                #"5:1 warning APUS0900 verifyCertificateAtClient is understood but not yet enforced: server certificates are verified all the same"#,
                #"6:1 warning APUS0900 ingressService is understood but not yet enforced: Kubernetes Ingress is not supported"#,
                #"7:1 warning APUS0900 ingressSelector is understood but not yet enforced: Kubernetes Ingress is not supported"#,
                #"8:1 warning APUS0900 zoneAwareLbSetting is understood but not yet enforced: the client's region comes first, but zones in it get requests by their endpoints alone"#,
            ]),
        Expectation(
            #"mesh settings that ask for nothing"#,
            #"""
            enableAutoMtls: false
            enableTracing: false
            enablePrometheusMerge: false
            verifyCertificateAtClient: true
            outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS, tls: {mode: SIMPLE}}
            zoneAwareLbSetting: {enabled: false}
            """#,
            []),
    ]

    @Test("A mesh setting without effect is said if its value asks for something", arguments: meshConfigs)
    func mesh(_ expectation: Expectation) {
        #expect(expectation.readMeshConfig() == expectation.findings)
    }
}
