internal import ApusCore
internal import ApusManifest
internal import ApusModel
internal import Testing

/// Every field of every kind is read: a text that sets all fields leaves no property of the model at its default.
@Suite struct CompleteKindTests {
    struct Failure: Error {}

    static func read(_ kind: String, _ apiVersion: String, _ body: String) throws -> ConfigObject {
        let text = "apiVersion: \(apiVersion)\nkind: \(kind)\nmetadata: {name: a, namespace: n}\n\(body)\n"
        let file = ManifestReader.read(file: "f.yaml", text: Array(text.utf8))
        let problems = file.findings.filter { $0.severity == .error || $0.code == "APUS0013" }
        #expect(problems.map(Expectation.line) == [])
        return try #require(file.objects.first)
    }

    /// Paths of the properties that have their default, in `value` and in the structs below it. Only the first element
    /// of a list is looked at.
    static func untouched<Value>(_ value: Value, _ fresh: Any, _ path: String = "") -> [String] {
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .struct else { return [] }
        let defaults = Dictionary(
            Mirror(reflecting: fresh).children.compactMap { child in child.label.map { ($0, child.value) } },
            uniquingKeysWith: { first, _ in first })
        var result: [String] = []
        for child in mirror.children {
            guard let label = child.label, let other = defaults[label] else { continue }
            if String(reflecting: child.value) == String(reflecting: other) { result.append(path + label) }
        }
        return result
    }

    static func untouched<Message: Hashable>(_ value: Message, _ make: () -> Message, _ path: String) -> [String] {
        untouched(value, make() as Any, path + ".")
    }

    @Test func virtualService() throws {
        let object = try Self.read(
            "VirtualService", "networking.istio.io/v1",
            """
            spec:
              hosts: [b.example.com]
              gateways: [mesh, n/gw]
              exportTo: ["."]
              http:
              - name: first
                match:
                - name: m
                  uri: {regex: "/a/[0-9]+"}
                  ignoreUriCase: true
                  scheme: {exact: https}
                  method: {exact: GET}
                  authority: {prefix: b}
                  headers: {x-a: {exact: "1"}, x-b: {}}
                  withoutHeaders: {x-c: {prefix: p}}
                  queryParams: {q: {exact: v}}
                  port: 80
                  sourceLabels: {app: c}
                  sourceNamespace: n
                  gateways: [mesh]
                  statPrefix: s
                route:
                - destination: {host: b, subset: v1, port: {number: 80}}
                  weight: 90
                  headers:
                    request: {set: {a: b}, add: {c: d}, remove: [e]}
                    response: {set: {f: g}}
                - destination: {host: c}
                  weight: 10
                rewrite: {uri: /x, authority: y}
                timeout: 3s
                retries:
                  attempts: 3
                  perTryTimeout: 1s
                  retryOn: 5xx,503
                  retryRemoteLocalities: true
                  retryIgnorePreviousHosts: false
                  backoff: 10ms
                fault:
                  delay: {fixedDelay: 1s, percentage: {value: 0.5}}
                  abort: {httpStatus: 503, percentage: {value: 10}}
                mirror: {host: d}
                mirrorPercentage: {value: 12.5}
                corsPolicy:
                  allowOrigins: [{exact: https://a.example}]
                  allowMethods: [GET]
                  allowHeaders: [x-a]
                  exposeHeaders: [x-b]
                  maxAge: 24h
                  allowCredentials: true
                  unmatchedPreflights: IGNORE
                headers: {request: {remove: [z]}}
              - redirect: {uri: /r, authority: o, scheme: https, port: 8443, redirectCode: 308}
                match: [{uri: {prefix: /r}}]
              - directResponse: {status: 503, body: {bytes: aGVsbG8=}}
                match: [{uri: {prefix: /d}}]
              - delegate: {name: x, namespace: y}
                match: [{uri: {prefix: /e}}]
              - route: [{destination: {host: b}}]
                mirrors: [{destination: {host: e}, percentage: {value: 1}}]
                rewrite: {uriRegexRewrite: {match: "^/(a)", rewrite: '/\\1'}}
                fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 1}}}
              tls:
              - match:
                - sniHosts: [b.example.com]
                  destinationSubnets: [10.0.0.0/8]
                  port: 443
                  sourceLabels: {app: c}
                  sourceNamespace: n
                  gateways: [mesh]
                route: [{destination: {host: b}, weight: 5}]
              tcp:
              - match:
                - destinationSubnets: [10.0.0.0/8]
                  port: 90
                  sourceSubnet: 10.1.0.0/16
                  sourceLabels: {app: c}
                  sourceNamespace: n
                  gateways: [mesh]
                route: [{destination: {host: b}, weight: 5}]
            """)
        guard case .virtualService(let spec) = object.spec else { throw Failure() }
        #expect(Self.untouched(spec, VirtualService.init, "") == [])
        let rule = spec.http[0]
        // The actions that exclude each other are in the other rules.
        #expect(
            Self.untouched(rule, HTTPRule.init, "http")
                == ["http.redirect", "http.directResponse", "http.delegate", "http.mirrors"])
        #expect(Self.untouched(rule.match[0], HTTPMatch.init, "match") == [])
        #expect(rule.match[0].headers == ["x-a": .exact("1"), "x-b": .present])
        #expect(Self.untouched(rule.route[0], HTTPDestination.init, "route") == [])
        #expect(rule.route[0].destination == Destination(host: "b", subset: "v1", port: 80))
        #expect(try Self.untouched(#require(rule.retries), HTTPRetry.init, "retries") == [])
        #expect(rule.retries?.backoff == .milliseconds(10))
        #expect(rule.fault?.delay?.percentage == 0.5)
        #expect(rule.fault?.abort?.kind == .httpStatus(503))
        #expect(rule.mirrorPercentage == 12.5)
        #expect(try Self.untouched(#require(rule.corsPolicy), CORSPolicy.init, "cors") == [])
        #expect(rule.corsPolicy?.maxAge == .seconds(86400))
        #expect(spec.http[1].redirect?.port == .number(8443))
        #expect(spec.http[1].redirect?.redirectCode == 308)
        #expect(spec.http[2].directResponse?.body == .bytes(Array("hello".utf8)))
        #expect(spec.http[3].delegate?.namespace == "y")
        #expect(spec.http[4].mirrors[0].percentage == 1)
        #expect(spec.http[4].rewrite?.uriRegexRewrite?.rewrite == "/\\1")
        #expect(spec.http[4].fault?.abort?.kind == .grpcStatus("UNAVAILABLE"))
        #expect(Self.untouched(spec.tls[0].match[0], TLSMatch.init, "tls") == [])
        #expect(Self.untouched(spec.tcp[0].match[0], L4Match.init, "tcp") == [])
        #expect(spec.tcp[0].route[0].weight == 5)
    }

    @Test func destinationRule() throws {
        let object = try Self.read(
            "DestinationRule", "networking.istio.io/v1alpha3",
            """
            spec:
              host: b
              exportTo: ["."]
              workloadSelector: {matchLabels: {app: c}}
              trafficPolicy:
                loadBalancer:
                  consistentHash:
                    httpCookie: {name: c, path: /, ttl: 0s, attributes: [{name: SameSite, value: Strict}]}
                    maglev: {tableSize: 65537}
                  localityLbSetting:
                    enabled: true
                    failover: [{from: a, to: b}]
                    failoverPriority: [topology.kubernetes.io/region]
                  warmup: {duration: 30s, minimumPercent: 20, aggression: 1.5}
                connectionPool:
                  tcp:
                    maxConnections: 1
                    connectTimeout: 2s
                    tcpKeepalive: {probes: 3, time: 4s, interval: 5s}
                    maxConnectionDuration: 6s
                    idleTimeout: 7s
                  http:
                    http1MaxPendingRequests: 8
                    http2MaxRequests: 9
                    maxRequestsPerConnection: 10
                    maxRetries: 11
                    idleTimeout: 12s
                    h2UpgradePolicy: DO_NOT_UPGRADE
                    useClientProtocol: true
                    maxConcurrentStreams: 13
                    http2KeepAlive: {interval: 14s, timeout: 15s}
                outlierDetection:
                  splitExternalLocalOriginErrors: true
                  consecutiveLocalOriginFailures: 1
                  consecutiveGatewayErrors: 2
                  consecutive_5xx_errors: 3
                  consecutiveErrors: 4
                  interval: 5s
                  baseEjectionTime: 6s
                  maxEjectionPercent: 7
                  minHealthPercent: 8
                  outlierDetectionHttpErrorCodes: [500]
                tls:
                  mode: SIMPLE
                  caCertificates: /ca
                  sni: s.example
                  subjectAltNames: [spiffe://x]
                  caCrl: /crl
                portLevelSettings:
                - port: {number: 81}
                  loadBalancer: {simple: ROUND_ROBIN}
                  connectionPool: {tcp: {maxConnections: 1}}
                  outlierDetection: {interval: 1s}
                  tls: {mode: MUTUAL, clientCertificate: /c, privateKey: /k}
                proxyProtocol: {version: V2}
                retryBudget: {percent: {value: 25}, minRetryConcurrency: 4}
              subsets:
              - name: v1
                labels: {version: v1}
                trafficPolicy:
                  tunnel: {protocol: POST, targetHost: t.example, targetPort: 443}
                  loadBalancer:
                    simple: 6
                    zoneAwareLbSetting: {enabled: true, minClusterSize: 3, failover: [{from: a, to: b}], failoverPriority: [x]}
              - name: v2
                trafficPolicy:
                  loadBalancer:
                    consistentHash: {httpHeaderName: x, ringHash: {minimumRingSize: 64}}
                    localityLbSetting: {distribute: [{from: a/*, to: {a/*: 80, b/*: 20}}]}
                  tls: {mode: SIMPLE, credentialName: c, insecureSkipVerify: true}
            """)
        guard case .destinationRule(let spec) = object.spec else { throw Failure() }
        #expect(Self.untouched(spec, DestinationRule.init, "") == [])
        let policy = try #require(spec.trafficPolicy)
        #expect(Self.untouched(policy, TrafficPolicy.init, "policy") == ["policy.tunnel"])
        #expect(
            try Self.untouched(#require(policy.loadBalancer), LoadBalancerSettings.init, "lb")
                == ["lb.simple", "lb.zoneAwareLb"])
        #expect(policy.loadBalancer?.consistentHash?.algorithm == .maglev(tableSize: 65537))
        guard case .httpCookie(let cookie) = policy.loadBalancer?.consistentHash?.key else { throw Failure() }
        #expect(Self.untouched(cookie, HTTPCookie.init, "cookie") == [])
        #expect(cookie.ttl == .zero)
        #expect(
            try Self.untouched(#require(policy.loadBalancer?.warmup), Warmup.init, "warmup") == [])
        #expect(
            try Self.untouched(#require(policy.connectionPool?.tcp), ConnectionPoolSettings.TCP.init, "tcp") == [])
        #expect(
            try Self.untouched(#require(policy.connectionPool?.http), ConnectionPoolSettings.HTTP.init, "http") == [])
        #expect(policy.connectionPool?.http?.maxConcurrentStreams == 13)
        #expect(
            try Self.untouched(#require(policy.outlierDetection), OutlierDetectionSettings.init, "outlier") == [])
        #expect(policy.outlierDetection?.consecutive5xxErrors == 3)
        #expect(Self.untouched(policy.portLevelSettings[0], PortTrafficPolicy.init, "port") == [])
        #expect(policy.proxyProtocol == .v2)
        #expect(policy.retryBudget?.percent == 25)
        #expect(spec.subsets[0].trafficPolicy?.loadBalancer?.simple == .leastRequest)
        #expect(
            try Self.untouched(
                #require(spec.subsets[0].trafficPolicy?.loadBalancer?.zoneAwareLb), ZoneAwareSettings.init, "zone")
                == [])
        #expect(spec.subsets[0].trafficPolicy?.tunnel?.targetPort == 443)
        #expect(
            spec.subsets[1].trafficPolicy?.loadBalancer?.consistentHash?.algorithm == .ringHash(minimumRingSize: 64))
        #expect(
            spec.subsets[1].trafficPolicy?.loadBalancer?.localityLb?.distribute.first?.to == ["a/*": 80, "b/*": 20])
        #expect(spec.subsets[1].trafficPolicy?.tls?.insecureSkipVerify == true)
    }

    @Test func gateway() throws {
        let object = try Self.read(
            "Gateway", "networking.istio.io/v1beta1",
            """
            spec:
              selector: {istio: ingress}
              servers:
              - name: s
                bind: 10.0.0.1
                port: {number: 443, name: https, protocol: https}
                hosts: [n/a.example]
                defaultEndpoint: 127.0.0.1:80
                tls:
                  httpsRedirect: true
                  mode: MUTUAL
                  serverCertificate: /c
                  privateKey: /k
                  caCertificates: /ca
                  caCrl: /crl
                  caCertCredentialName: cc
                  subjectAltNames: [x]
                  verifyCertificateSpki: [s]
                  verifyCertificateHash: [h]
                  minProtocolVersion: TLSV1_2
                  maxProtocolVersion: TLSV1_3
                  cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]
              - port: {number: 8443, name: b, protocol: TLS}
                hosts: ["*"]
                tls: {mode: SIMPLE, tlsCertificates: [{serverCertificate: /c, privateKey: /k, caCertificates: /ca}]}
              - port: {number: 9443, name: c, protocol: TLS}
                hosts: ["*"]
                tls: {mode: SIMPLE, credentialNames: [x, y]}
            """)
        guard case .gateway(let spec) = object.spec else { throw Failure() }
        #expect(Self.untouched(spec, Gateway.init, "") == [])
        #expect(Self.untouched(spec.servers[0], Server.init, "server") == [])
        #expect(spec.servers[0].port.protocol == "HTTPS")
        #expect(
            try Self.untouched(#require(spec.servers[0].tls), ServerTLSSettings.init, "tls")
                == ["tls.credentialName", "tls.credentialNames", "tls.tlsCertificates"])
        #expect(spec.servers[1].tls?.tlsCertificates.first?.caCertificates == "/ca")
        #expect(spec.servers[2].tls?.credentialNames == ["x", "y"])
    }

    @Test func serviceEntryAndWorkloads() throws {
        let object = try Self.read(
            "ServiceEntry", "networking.istio.io/v1",
            """
            spec:
              hosts: [a.example]
              addresses: [10.0.0.1]
              ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
              location: MESH_INTERNAL
              resolution: STATIC
              exportTo: ["~"]
              subjectAltNames: [x]
              endpoints:
              - address: 10.0.0.2
                ports: {http: 81}
                labels: {app: x}
                network: net
                locality: r/z/s
                weight: 7
                serviceAccount: sa
            """)
        guard case .serviceEntry(let spec) = object.spec else { throw Failure() }
        #expect(Self.untouched(spec, ServiceEntry.init, "") == [".workloadSelector"])
        #expect(Self.untouched(spec.ports[0], PortSpec.init, "port") == [])
        #expect(Self.untouched(spec.endpoints[0], WorkloadEntry.init, "endpoint") == [])

        let selecting = try Self.read(
            "ServiceEntry", "networking.istio.io/v1",
            "spec: {hosts: [a.example], resolution: STATIC, workloadSelector: {labels: {app: x}}}")
        guard case .serviceEntry(let second) = selecting.spec else { throw Failure() }
        #expect(second.workloadSelector == ["app": "x"])

        let group = try Self.read(
            "WorkloadGroup", "networking.istio.io/v1",
            """
            spec:
              metadata: {labels: {app: x}, annotations: {b: c}}
              template: {serviceAccount: sa, ports: {http: 80}}
              probe:
                initialDelaySeconds: 1
                timeoutSeconds: 2
                periodSeconds: 3
                successThreshold: 4
                failureThreshold: 5
                httpGet: {path: /h, port: 80, host: l, scheme: HTTP, httpHeaders: [{name: a, value: b}]}
            """)
        guard case .workloadGroup(let spec) = group.spec else { throw Failure() }
        #expect(Self.untouched(spec, WorkloadGroup.init, "") == [])
        #expect(try Self.untouched(#require(spec.probe), WorkloadGroup.Probe.init, "probe") == [])
        #expect(
            spec.probe?.method == .httpGet(path: "/h", port: 80, host: "l", scheme: "HTTP", headers: ["a": "b"]))
    }

    @Test func sidecar() throws {
        let object = try Self.read(
            "Sidecar", "networking.istio.io/v1",
            """
            spec:
              workloadSelector: {labels: {app: x}}
              outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: e.example, port: {number: 80}}}
              inboundConnectionPool: {tcp: {maxConnections: 3}}
              ingress:
              - port: {number: 80, name: http, protocol: HTTPS}
                bind: 127.0.0.1
                captureMode: NONE
                defaultEndpoint: unix:///s
                tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}
                connectionPool: {http: {http2MaxRequests: 5}}
              egress:
              - port: {number: 81, name: http, protocol: HTTP}
                bind: 127.0.0.2
                captureMode: IPTABLES
                hosts: ["./*"]
            """)
        guard case .sidecar(let spec) = object.spec else { throw Failure() }
        #expect(Self.untouched(spec, Sidecar.init, "") == [])
        #expect(Self.untouched(spec.ingress[0], Sidecar.Ingress.init, "ingress") == [])
        #expect(Self.untouched(spec.egress[0], Sidecar.Egress.init, "egress") == [])
        #expect(spec.outboundTrafficPolicy?.egressProxy?.port == 80)
    }

    @Test func security() throws {
        let peer = try Self.read(
            "PeerAuthentication", "security.istio.io/v1beta1",
            "spec: {selector: {matchLabels: {app: x}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}}}")
        guard case .peerAuthentication(let peerSpec) = peer.spec else { throw Failure() }
        #expect(Self.untouched(peerSpec, PeerAuthentication.init, "") == [])
        #expect(peerSpec.portLevelMtls == [8080: .disable])

        let request = try Self.read(
            "RequestAuthentication", "security.istio.io/v1",
            """
            spec:
              targetRefs: [{group: g, kind: Gateway, name: x, namespace: n}]
              jwtRules:
              - issuer: i
                audiences: [a]
                jwks: '{"keys": [{"kty": "RSA"}]}'
                fromHeaders: [{name: x-jwt, prefix: "T "}]
                fromParams: [p]
                fromCookies: [c]
                outputPayloadToHeader: x-p
                outputClaimToHeaders: [{header: x-c, claim: sub}]
                forwardOriginalToken: true
                timeout: 5s
                spaceDelimitedClaims: [scope]
            """)
        guard case .requestAuthentication(let requestSpec) = request.spec else { throw Failure() }
        #expect(Self.untouched(requestSpec.jwtRules[0], RequestAuthentication.JWTRule.init, "jwt") == ["jwt.jwksUri"])
        #expect(Self.untouched(requestSpec.targetRefs[0], PolicyTargetReference.init, "target") == [])

        let lists =
            [
                "principals", "notPrincipals", "requestPrincipals", "notRequestPrincipals", "namespaces",
                "notNamespaces", "trustDomains", "notTrustDomains",
            ].map { "\($0): [x]" }
            + ["ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks"].map {
                "\($0): [10.0.0.0/8]"
            }
        let policy = try Self.read(
            "AuthorizationPolicy", "security.istio.io/v1",
            """
            spec:
              selector: {matchLabels: {app: x}}
              action: CUSTOM
              provider: {name: p}
              rules:
              - from: [{source: {\(lists.joined(separator: ", "))}}, {source: {serviceAccounts: [a], notServiceAccounts: [n/b]}}]
                to:
                - operation: {hosts: [h], notHosts: [h], ports: ["80"], notPorts: ["81"], methods: [GET], notMethods: [PUT], paths: ["/a/{*}"], notPaths: [/b]}
                when: [{key: source.ip, values: [10.0.0.1], notValues: [10.0.0.2]}]
            """)
        guard case .authorizationPolicy(let policySpec) = policy.spec else { throw Failure() }
        #expect(Self.untouched(policySpec, AuthorizationPolicy.init, "") == [".targetRefs"])
        #expect(
            Self.untouched(policySpec.rules[0].from[0], AuthorizationPolicy.Source.init, "source")
                == ["source.serviceAccounts", "source.notServiceAccounts"])
        #expect(policySpec.rules[0].from[1].notServiceAccounts == ["n/b"])
        #expect(Self.untouched(policySpec.rules[0].to[0], AuthorizationPolicy.Operation.init, "operation") == [])
        #expect(Self.untouched(policySpec.rules[0].when[0], AuthorizationPolicy.Condition.init, "when") == [])
    }

    @Test func extensions() throws {
        let filter = try Self.read(
            "EnvoyFilter", "networking.istio.io/v1alpha3",
            """
            spec:
              workloadSelector: {labels: {app: x}}
              priority: -5
              configPatches:
              - applyTo: HTTP_FILTER
                match:
                  context: GATEWAY
                  proxy: {proxyVersion: "^1.*", metadata: {a: b}}
                  listener:
                    name: l
                    portNumber: 80
                    portName: http
                    listenerFilter: lf
                    filterChain:
                      name: fc
                      sni: s
                      transportProtocol: tls
                      applicationProtocols: h2
                      destinationPort: 81
                      filter:
                        name: envoy.filters.network.http_connection_manager
                        subFilter: {name: envoy.filters.http.router}
                patch: {operation: INSERT_BEFORE, filterClass: AUTHN, value: {a: [1, "2", true, null]}}
              - applyTo: HTTP_ROUTE
                match:
                  routeConfiguration:
                    name: r
                    portNumber: 80
                    portName: http
                    gateway: n/g
                    vhost: {name: v, domainName: d, route: {name: x, action: ROUTE}}
                patch: {operation: REMOVE}
              - applyTo: CLUSTER
                match: {cluster: {name: c, service: s, portNumber: 80, subset: v1}}
                patch: {operation: MERGE, value: {}}
            """)
        guard case .envoyFilter(let spec) = filter.spec else { throw Failure() }
        #expect(Self.untouched(spec, EnvoyFilter.init, "") == [".targetRefs"])
        #expect(Self.untouched(spec.configPatches[0], EnvoyFilter.Patch.init, "patch") == [])
        guard case .listener(let listener) = spec.configPatches[0].match,
            case .routeConfiguration(let route) = spec.configPatches[1].match,
            case .cluster(let cluster) = spec.configPatches[2].match
        else { throw Failure() }
        #expect(Self.untouched(listener, EnvoyFilter.ListenerMatch.init, "listener") == [])
        #expect(Self.untouched(route, EnvoyFilter.RouteConfigurationMatch.init, "route") == [])
        #expect(Self.untouched(cluster, EnvoyFilter.ClusterMatch.init, "cluster") == [])
        #expect(
            spec.configPatches[0].value
                == .map([.init(key: "a", value: .list([.number(1), .string("2"), .bool(true), .null]))]))

        let telemetry = try Self.read(
            "Telemetry", "telemetry.istio.io/v1",
            """
            spec:
              selector: {matchLabels: {app: x}}
              tracing:
              - match: {mode: CLIENT}
                providers: [{name: zipkin}]
                randomSamplingPercentage: 12.5
                disableSpanReporting: true
                customTags:
                  a: {literal: {value: l}}
                  b: {environment: {name: e, defaultValue: d}}
                  c: {header: {name: h, defaultValue: d}}
                useRequestIdForTraceSampling: false
                enableIstioTags: false
              metrics:
              - providers: [{name: prometheus}]
                reportingInterval: 5s
                overrides:
                - match: {metric: REQUEST_COUNT, mode: SERVER}
                  disabled: true
                  tagOverrides: {x: {operation: REMOVE}, y: {value: request.host}}
                - match: {customMetric: m}
              accessLogging:
              - match: {mode: SERVER}
                providers: [{name: envoy}]
                disabled: false
                filter: {expression: "response.code >= 400"}
            """)
        guard case .telemetry(let spec) = telemetry.spec else { throw Failure() }
        #expect(Self.untouched(spec, Telemetry.init, "") == [".targetRefs"])
        #expect(Self.untouched(spec.tracing[0], Telemetry.Tracing.init, "tracing") == [])
        #expect(Self.untouched(spec.metrics[0], Telemetry.Metrics.init, "metrics") == [])
        #expect(
            Self.untouched(spec.metrics[0].overrides[0], Telemetry.MetricsOverride.init, "override")
                == ["override.customMetric"])
        #expect(spec.metrics[0].overrides[1].customMetric == "m")
        #expect(Self.untouched(spec.accessLogging[0], Telemetry.AccessLogging.init, "log") == [])
        #expect(spec.tracing[0].customTags["b"] == .environment(name: "e", defaultValue: "d"))

        let proxy = try Self.read(
            "ProxyConfig", "networking.istio.io/v1beta1",
            """
            spec:
              selector: {matchLabels: {app: x}}
              concurrency: 2
              environmentVariables: {A: b}
              image: {imageType: distroless}
            """)
        guard case .proxyConfig(let spec) = proxy.spec else { throw Failure() }
        #expect(Self.untouched(spec, ProxyConfigResource.init, "") == [])
    }
}
