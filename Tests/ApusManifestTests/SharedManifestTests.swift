internal import ApusManifest
internal import Testing

/// Manifests as they are passed around, some without a line between their documents.
///
/// Each text is followed by every finding it must have: `line:column severity CODE message | hint`.
@Suite struct SharedManifestTests {
    static let asWritten: [Expectation] = [
        Expectation(
            #"a gateway with redirect, TLS and passthrough as written"#,
            #"""
            apiVersion: networking.istio.io/v1beta1
            kind: Gateway
            metadata:
              name: my-gateway
            spec:
              selector:
                istio: ingressgateway
              servers:
                - port:
                    number: 80
                    name: http
                    protocol: HTTP
                  hosts:
                    - my-app.example.com
                  tls:
                    httpsRedirect: true
                - port:
                    number: 443
                    name: https
                    protocol: HTTPS
                  tls:
                    mode: SIMPLE
                    credentialName: my-app-tls
                  hosts:
                    - my-app.example.com
                - port:
                    number: 15443
                    name: tls-passthrough
                    protocol: TLS
                  tls:
                    mode: PASSTHROUGH
                  hosts:
                    - "*.example.com"
            """#,
            []),
        Expectation(
            #"two PeerAuthentications as written"#,
            #"""
            apiVersion: security.istio.io/v1beta1
            kind: PeerAuthentication
            metadata:
              name: default
              namespace: istio-system
            spec:
              mtls:
                mode: STRICT
            apiVersion: security.istio.io/v1beta1
            kind: PeerAuthentication
            metadata:
              name: my-app
              namespace: production
            spec:
              selector:
                matchLabels:
                  app: my-app
              mtls:
                mode: STRICT
              portLevelMtls:
                8080:
                  mode: PERMISSIVE
            """#,
            [
                #"9:1 error APUS0002 the key "apiVersion" stands twice in one mapping; it was first written at line 1, column 1 | if a second object begins here, put a line with --- before line 9"#
            ]),
        Expectation(
            #"two AuthorizationPolicies as written"#,
            #"""
            apiVersion: security.istio.io/v1beta1
            kind: AuthorizationPolicy
            metadata:
              name: allow-frontend
              namespace: production
            spec:
              selector:
                matchLabels:
                  app: backend
              action: ALLOW
              rules:
                - from:
                    - source:
                        principals: ["cluster.local/ns/production/sa/frontend"]
                        namespaces: ["production"]
                  to:
                    - operation:
                        methods: ["GET", "POST"]
                        paths: ["/api/*"]
                  when:
                    - key: request.headers[x-token]
                      notValues: [""]
            apiVersion: security.istio.io/v1beta1
            kind: AuthorizationPolicy
            metadata:
              name: deny-external
              namespace: production
            spec:
              action: DENY
              rules:
                - from:
                    - source:
                        notNamespaces: ["production", "istio-system"]
            """#,
            [
                #"23:1 error APUS0002 the key "apiVersion" stands twice in one mapping; it was first written at line 1, column 1 | if a second object begins here, put a line with --- before line 23"#
            ]),
        Expectation(
            #"two ServiceEntries as written"#,
            #"""
            apiVersion: networking.istio.io/v1beta1
            kind: ServiceEntry
            metadata:
              name: external-api
            spec:
              hosts:
                - api.external-service.com
              location: MESH_EXTERNAL
              ports:
                - number: 443
                  name: https
                  protocol: TLS
              resolution: DNS
              dnsLookupFamily: V4_ONLY
            apiVersion: networking.istio.io/v1beta1
            kind: ServiceEntry
            metadata:
              name: vm-service
            spec:
              hosts:
                - vm-service.internal
              location: MESH_INTERNAL
              ports:
                - number: 8080
                  name: http
                  protocol: HTTP
              resolution: STATIC
              endpoints:
                - address: 10.0.0.100
                  ports:
                    http: 8080
                  labels:
                    app: legacy-app
            """#,
            [
                #"15:1 error APUS0002 the key "apiVersion" stands twice in one mapping; it was first written at line 1, column 1 | if a second object begins here, put a line with --- before line 15"#
            ]),
        Expectation(
            #"a Pod with injection annotations as written"#,
            #"""
            # Pod-level override
            apiVersion: v1
            kind: Pod
            metadata:
              name: my-app
              annotations:
                sidecar.istio.io/inject: "true"
                sidecar.istio.io/proxyCPU: "100m"
                sidecar.istio.io/proxyMemory: "128Mi"
                traffic.sidecar.istio.io/includeInboundPorts: "8080,9090"
                traffic.sidecar.istio.io/excludeOutboundPorts: "3306"
                traffic.sidecar.istio.io/excludeOutboundIPRanges: "10.0.0.0/8"
            spec:
              containers:
                - name: app
                  image: my-app:latest
            """#,
            [
                #"7:30 warning APUS0900 the annotation sidecar.istio.io/inject is understood but not yet enforced: it has no effect here"#,
                #"8:32 warning APUS0900 the annotation sidecar.istio.io/proxyCPU is understood but not yet enforced: it has no effect here"#,
                #"9:35 warning APUS0900 the annotation sidecar.istio.io/proxyMemory is understood but not yet enforced: it has no effect here"#,
                #"10:51 warning APUS0900 the annotation traffic.sidecar.istio.io/includeInboundPorts is understood but not yet enforced: it has no effect here"#,
                #"11:52 warning APUS0900 the annotation traffic.sidecar.istio.io/excludeOutboundPorts is understood but not yet enforced: it has no effect here"#,
                #"12:55 warning APUS0018 10.0.0.0/8 contains most addresses of usual clusters: traffic there leaves the mesh, without routing, policies and mutual TLS | exclude only the ranges outside the mesh"#,
                #"12:55 warning APUS0900 the annotation traffic.sidecar.istio.io/excludeOutboundIPRanges is understood but not yet enforced: it has no effect here"#,
            ]),
        Expectation(
            #"a Pod with scrape annotations as written"#,
            #"""
            # Prometheus annotations for scraping
            apiVersion: v1
            kind: Pod
            metadata:
              name: my-app
              annotations:
                prometheus.io/scrape: "true"
                prometheus.io/port: "15090"
                prometheus.io/path: "/stats/prometheus"
            """#,
            [
                #"8:25 warning IST0125 the port 15090 is the proxy's own, so the sidecar is not injected into this Pod | remove the annotations (metrics are then served on 15020), or add prometheus.istio.io/merge-metrics: "false""#
            ]),
        Expectation(
            #"an access log patch as written"#,
            #"""
            apiVersion: networking.istio.io/v1beta1
            kind: EnvoyFilter
            metadata:
              name: access-log
              namespace: istio-system
            spec:
              workloadSelector:
                labels:
                  istio: ingressgateway
              configPatches:
                - applyTo: NETWORK_FILTER
                  match:
                    context: GATEWAY
                  patch:
                    operation: MERGE
                    value:
                      typed_config:
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
                        access_log:
                          - name: envoy.access_loggers.file
                            typed_config:
                              "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
                              path: /dev/stdout
                              log_format:
                                text_format_source:
                                  inline_string: "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%\" %RESPONSE_CODE% %RESPONSE_FLAGS%\n"
            """#,
            [
                #"1:13 error APUS0012 EnvoyFilter is not served as networking.istio.io/v1beta1 | write apiVersion: networking.istio.io/v1alpha3"#
            ]),
        Expectation(
            #"canary, A/B and mirror as written"#,
            #"""
            # Canary release with weighted routing
            apiVersion: networking.istio.io/v1beta1
            kind: VirtualService
            metadata:
              name: canary
            spec:
              hosts: [my-app]
              http:
                - route:
                    - destination:
                        host: my-app
                        subset: v1
                      weight: 95
                    - destination:
                        host: my-app
                        subset: v2
                      weight: 5
            # A/B testing by header
            apiVersion: networking.istio.io/v1beta1
            kind: VirtualService
            metadata:
              name: ab-test
            spec:
              hosts: [my-app]
              http:
                - match:
                    - headers:
                        cookie:
                          regex: ".*user_group=beta.*"
                  route:
                    - destination:
                        host: my-app
                        subset: v2
                - route:
                    - destination:
                        host: my-app
                        subset: v1
            # Mirroring (shadow traffic)
            apiVersion: networking.istio.io/v1beta1
            kind: VirtualService
            metadata:
              name: mirror
            spec:
              hosts: [my-app]
              http:
                - route:
                    - destination:
                        host: my-app
                        subset: v1
                      weight: 100
                  mirror:
                    host: my-app
                    subset: v2
                  mirrorPercentage:
                    value: 100
            """#,
            [
                #"19:1 error APUS0002 the key "apiVersion" stands twice in one mapping; it was first written at line 2, column 1 | if a second object begins here, put a line with --- before line 19"#
            ]),
    ]

    @Test(arguments: asWritten)
    func asWrittenFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let separated: [Expectation] = [
        Expectation(
            #"two PeerAuthentications, separated"#,
            #"""
            apiVersion: security.istio.io/v1beta1
            kind: PeerAuthentication
            metadata:
              name: default
              namespace: istio-system
            spec:
              mtls:
                mode: STRICT
            ---
            apiVersion: security.istio.io/v1beta1
            kind: PeerAuthentication
            metadata:
              name: my-app
              namespace: production
            spec:
              selector:
                matchLabels:
                  app: my-app
              mtls:
                mode: STRICT
              portLevelMtls:
                8080:
                  mode: PERMISSIVE
            """#,
            []),
        Expectation(
            #"two AuthorizationPolicies, separated"#,
            #"""
            apiVersion: security.istio.io/v1beta1
            kind: AuthorizationPolicy
            metadata:
              name: allow-frontend
              namespace: production
            spec:
              selector:
                matchLabels:
                  app: backend
              action: ALLOW
              rules:
                - from:
                    - source:
                        principals: ["cluster.local/ns/production/sa/frontend"]
                        namespaces: ["production"]
                  to:
                    - operation:
                        methods: ["GET", "POST"]
                        paths: ["/api/*"]
                  when:
                    - key: request.headers[x-token]
                      notValues: [""]
            ---
            apiVersion: security.istio.io/v1beta1
            kind: AuthorizationPolicy
            metadata:
              name: deny-external
              namespace: production
            spec:
              action: DENY
              rules:
                - from:
                    - source:
                        notNamespaces: ["production", "istio-system"]
            """#,
            [
                #"2:7 error APUS0017 the AuthorizationPolicy is left out because of its errors: requests are NOT being restricted by it"#,
                #"22:23 error IST0106 notValues has an empty value | to require that the value is there, write values: ["*"]"#,
                #"25:7 warning APUS0900 AuthorizationPolicy is understood but not yet enforced: in gRPC programs requests are NOT being restricted by it; CUSTOM denies"#,
                #"34:13 warning APUS0017 DENY with notNamespaces also denies every plaintext caller, which has no identity at all | keep it if that is meant; the workload must then accept mutual TLS only"#,
            ]),
        Expectation(
            #"two ServiceEntries, separated"#,
            #"""
            apiVersion: networking.istio.io/v1beta1
            kind: ServiceEntry
            metadata:
              name: external-api
            spec:
              hosts:
                - api.external-service.com
              location: MESH_EXTERNAL
              ports:
                - number: 443
                  name: https
                  protocol: TLS
              resolution: DNS
              dnsLookupFamily: V4_ONLY
            ---
            apiVersion: networking.istio.io/v1beta1
            kind: ServiceEntry
            metadata:
              name: vm-service
            spec:
              hosts:
                - vm-service.internal
              location: MESH_INTERNAL
              ports:
                - number: 8080
                  name: http
                  protocol: HTTP
              resolution: STATIC
              endpoints:
                - address: 10.0.0.100
                  ports:
                    http: 8080
                  labels:
                    app: legacy-app
            """#,
            [
                #"14:3 warning APUS0013 unknown field "dnsLookupFamily" is ignored"#
            ]),
        Expectation(
            #"a Pod with injection annotations, separated"#,
            #"""
            # Pod-level override
            ---
            apiVersion: v1
            kind: Pod
            metadata:
              name: my-app
              annotations:
                sidecar.istio.io/inject: "true"
                sidecar.istio.io/proxyCPU: "100m"
                sidecar.istio.io/proxyMemory: "128Mi"
                traffic.sidecar.istio.io/includeInboundPorts: "8080,9090"
                traffic.sidecar.istio.io/excludeOutboundPorts: "3306"
                traffic.sidecar.istio.io/excludeOutboundIPRanges: "10.0.0.0/8"
            spec:
              containers:
                - name: app
                  image: my-app:latest
            """#,
            [
                #"8:30 warning APUS0900 the annotation sidecar.istio.io/inject is understood but not yet enforced: it has no effect here"#,
                #"9:32 warning APUS0900 the annotation sidecar.istio.io/proxyCPU is understood but not yet enforced: it has no effect here"#,
                #"10:35 warning APUS0900 the annotation sidecar.istio.io/proxyMemory is understood but not yet enforced: it has no effect here"#,
                #"11:51 warning APUS0900 the annotation traffic.sidecar.istio.io/includeInboundPorts is understood but not yet enforced: it has no effect here"#,
                #"12:52 warning APUS0900 the annotation traffic.sidecar.istio.io/excludeOutboundPorts is understood but not yet enforced: it has no effect here"#,
                #"13:55 warning APUS0018 10.0.0.0/8 contains most addresses of usual clusters: traffic there leaves the mesh, without routing, policies and mutual TLS | exclude only the ranges outside the mesh"#,
                #"13:55 warning APUS0900 the annotation traffic.sidecar.istio.io/excludeOutboundIPRanges is understood but not yet enforced: it has no effect here"#,
            ]),
        Expectation(
            #"a Pod with scrape annotations, separated"#,
            #"""
            # Prometheus annotations for scraping
            ---
            apiVersion: v1
            kind: Pod
            metadata:
              name: my-app
              annotations:
                prometheus.io/scrape: "true"
                prometheus.io/port: "15090"
                prometheus.io/path: "/stats/prometheus"
            """#,
            [
                #"9:25 warning IST0125 the port 15090 is the proxy's own, so the sidecar is not injected into this Pod | remove the annotations (metrics are then served on 15020), or add prometheus.istio.io/merge-metrics: "false""#
            ]),
    ]

    @Test(arguments: separated)
    func separatedFindings(_ expectation: Expectation) {
        #expect(expectation.read() == expectation.findings)
    }

    static let good: [Expectation] = [
        Expectation(
            #"a routing rule with canary, retries and fault as written"#,
            #"""
            apiVersion: networking.istio.io/v1beta1
            kind: VirtualService
            metadata:
              name: my-app
            spec:
              hosts:
                - my-app
                - my-app.example.com
              gateways:
                - mesh
                - my-gateway
              http:
                - match:
                    - headers:
                        x-canary:
                          exact: "true"
                  route:
                    - destination:
                        host: my-app
                        subset: canary
                      weight: 100
                - route:
                    - destination:
                        host: my-app
                        subset: stable
                      weight: 90
                    - destination:
                        host: my-app
                        subset: canary
                      weight: 10
                  timeout: 30s
                  retries:
                    attempts: 3
                    perTryTimeout: 5s
                    retryOn: 5xx,reset
                  fault:
                    abort:
                      percentage:
                        value: 0.1
                      httpStatus: 500
            """#,
            []),
        Expectation(
            #"subsets with their own limits as written"#,
            #"""
            apiVersion: networking.istio.io/v1beta1
            kind: DestinationRule
            metadata:
              name: my-app
            spec:
              host: my-app
              trafficPolicy:
                connectionPool:
                  tcp:
                    maxConnections: 100
                  http:
                    h2UpgradePolicy: DEFAULT
                    http1MaxPendingRequests: 100
                    http2MaxRequests: 100
                outlierDetection:
                  consecutive5xxErrors: 3
                  interval: 30s
                  baseEjectionTime: 30s
                  maxEjectionPercent: 50
              subsets:
                - name: stable
                  labels:
                    version: v1
                  trafficPolicy:
                    connectionPool:
                      http:
                        http1MaxPendingRequests: 200
                - name: canary
                  labels:
                    version: v2
                - name: v3
                  labels:
                    version: v3
            """#,
            []),
        Expectation(
            #"canary, A/B and mirror, separated"#,
            #"""
            # Canary release with weighted routing
            ---
            apiVersion: networking.istio.io/v1beta1
            kind: VirtualService
            metadata:
              name: canary
            spec:
              hosts: [my-app]
              http:
                - route:
                    - destination:
                        host: my-app
                        subset: v1
                      weight: 95
                    - destination:
                        host: my-app
                        subset: v2
                      weight: 5
            # A/B testing by header
            ---
            apiVersion: networking.istio.io/v1beta1
            kind: VirtualService
            metadata:
              name: ab-test
            spec:
              hosts: [my-app]
              http:
                - match:
                    - headers:
                        cookie:
                          regex: ".*user_group=beta.*"
                  route:
                    - destination:
                        host: my-app
                        subset: v2
                - route:
                    - destination:
                        host: my-app
                        subset: v1
            # Mirroring (shadow traffic)
            ---
            apiVersion: networking.istio.io/v1beta1
            kind: VirtualService
            metadata:
              name: mirror
            spec:
              hosts: [my-app]
              http:
                - route:
                    - destination:
                        host: my-app
                        subset: v1
                      weight: 100
                  mirror:
                    host: my-app
                    subset: v2
                  mirrorPercentage:
                    value: 100
            """#,
            []),
    ]

    @Test(arguments: good)
    func goodManifestsHaveNoFindings(_ expectation: Expectation) {
        #expect(expectation.read() == [])
    }
}
