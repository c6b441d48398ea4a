internal import ApusCore
internal import ApusManifest
internal import ApusModel
internal import Testing

@Suite struct ManifestReaderTests {
    private struct Failure: Error {}

    private func read(_ text: String) -> ManifestFile { ManifestReader.read(file: "f.yaml", text: Array(text.utf8)) }

    private let reviews = """
        apiVersion: networking.istio.io/v1beta1
        kind: VirtualService
        metadata:
          name: reviews
        spec:
          hosts: [reviews]
          http:
            - match:
                - uri: {prefix: /api}
                  headers:
                    x-user: {exact: a}
              route:
                - destination: {host: reviews, subset: v1, port: {number: 80}}
                  weight: 90
                - destination:
                    host: reviews
                    subset: v2
                  weight: 10
              timeout: 1.5s
              retries: {attempts: 3, per_try_timeout: 500ms, retryOn: "5xx,reset"}
        """

    @Test func aRoutingRuleIsDecodedWithItsPlaces() throws {
        let file = read(reviews)
        #expect(file.findings.isEmpty)
        let object = try #require(file.objects.first)
        #expect(object.key.description == "VirtualService default/reviews")
        guard case .virtualService(let spec) = object.spec else { throw Failure() }
        #expect(spec.http[0].match[0].uri == .prefix("/api"))
        #expect(spec.http[0].route[1].destination == Destination(host: "reviews", subset: "v2"))
        #expect(spec.http[0].timeout == .milliseconds(1500))
        #expect(spec.http[0].retries?.perTryTimeout == .milliseconds(500))
        #expect(object.origin.location.description == "f.yaml:1:1")
        #expect(object.origin.location(of: "spec.http[0].route[1].destination.host").description == "f.yaml:16:19")
        #expect(object.origin.location(of: "spec.http[0].retries.perTryTimeout").position.line == 20)
        #expect(object.origin.location(of: "spec.http[0].fault").description == "f.yaml:8:7")
    }

    @Test func theSameObjectAsJSONIsEqual() throws {
        let json = """
            {"apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService", "metadata": {"name": "reviews"},
             "spec": {"hosts": ["reviews"], "http": [{
            \t"match": [{"uri": {"prefix": "/api"}, "headers": {"x-user": {"exact": "a"}}}],
            \t"route": [
            \t\t{"destination": {"host": "reviews", "subset": "v1", "port": {"number": 80}}, "weight": 90},
            \t\t{"destination": {"host": "reviews", "subset": "v2"}, "weight": 10}],
            \t"timeout": "1.5s", "retries": {"attempts": 3, "perTryTimeout": "500ms", "retryOn": "5xx,reset"}}]}}
            """
        #expect(read(json).findings.isEmpty)
        #expect(read(json).objects.map(\.spec) == read(reviews).objects.map(\.spec))
    }

    @Test func theVersionFollowsTheContentAndNotThePlace() {
        let moved = read("# moved\n---\n" + reviews + "   # end\n").objects.map(\.version)
        #expect(moved == read(reviews).objects.map(\.version))
        let changed = read(reviews.replacing("weight: 90", with: "weight: 91")).objects.map(\.version)
        #expect(changed != moved)
    }

    // MARK: Isolation

    @Test func aBadObjectIsLeftOutAlone() {
        let file = read("\(reviews)\n---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: 5}\n")
        #expect(file.objects.map(\.key.description) == ["VirtualService default/reviews"])
        #expect(file.damaged.map(\.description) == ["Service default/s"])
        #expect(!file.hasUnidentified)
    }

    @Test func aWarningLeavesTheObjectInForce() {
        let file = read("\(reviews)\n      timeuot: 5s\n")
        #expect(file.objects.count == 1)
        #expect(file.damaged.isEmpty)
        #expect(file.findings.map(\.code) == ["APUS0013"])
    }

    @Test func documentsRunTogetherNameAllTheirObjects() {
        let file = read(
            """
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: a, namespace: n}
            spec: {}
            apiVersion: v1
            kind: Service
            metadata: {name: b}
            spec: {}
            kind: Node
            metadata: {name: c}
            """)
        #expect(file.objects.isEmpty)
        #expect(
            Set(file.damaged.map(\.description)) == ["PeerAuthentication n/a", "Service default/b", "Node /c"])
        #expect(!file.hasUnidentified)
        #expect(file.findings.count == 1)
    }

    @Test func whatCannotBeIdentifiedIsSaidOfTheFile() {
        #expect(read("a: [\n").hasUnidentified)
        #expect(read("kind: Service\nmetadata: {name: a}\n").hasUnidentified)
        #expect(read("apiVersion: v1\nkind: Service\n").hasUnidentified)
        #expect(!read("apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\n").hasUnidentified)
    }

    @Test func everyFindingNamesItsObjectAndField() throws {
        let finding = try #require(read(reviews.replacing("1.5s", with: "soon")).findings.first)
        #expect(finding.object == "VirtualService default/reviews")
        #expect(finding.field == "spec.http[0].timeout")
        #expect(finding.location.description == "f.yaml:19:16")
    }

    // MARK: Values

    @Test(arguments: [
        ("1s", Duration.seconds(1)), ("1.5s", .milliseconds(1500)), ("10ms", .milliseconds(10)), ("1h", .seconds(3600)),
        ("1h30m", .seconds(5400)), ("0.000000001s", .nanoseconds(1)), (".5s", .milliseconds(500)),
        ("1500us", .microseconds(1500)), ("2m3.5s", .milliseconds(123_500)), ("0s", .zero), ("0", .zero),
    ])
    func durationsAreReadExactly(_ text: String, _ duration: Duration) throws {
        let file = read(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: b, "
                + "trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: c, ttl: \"\(text)\"}}}}}\n")
        guard case .destinationRule(let spec) = file.objects.first?.spec,
            case .httpCookie(let cookie) = spec.trafficPolicy?.loadBalancer?.consistentHash?.key
        else { throw Failure() }
        #expect(cookie.ttl == duration)
    }

    @Test(arguments: ["", "s", "1", "1x", "-1s", "1s ", "1.2.3s", "1e3s", "315576000001s", "9999999999999999999s"])
    func otherTextsAreNoDurations(_ text: String) {
        let file = read(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: b, "
                + "trafficPolicy: {outlierDetection: {interval: \"\(text)\"}}}\n")
        #expect(file.findings.map(\.field) == ["spec.trafficPolicy.outlierDetection.interval"])
    }

    @Test func numbersMayBeQuotedOrWhole() throws {
        let file = read(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: b, "
                + "trafficPolicy: {connectionPool: {tcp: {maxConnections: \"7\"}, http: {maxRetries: 3.0}}}}\n")
        guard case .destinationRule(let spec) = file.objects.first?.spec else { throw Failure() }
        #expect(spec.trafficPolicy?.connectionPool?.tcp?.maxConnections == 7)
        #expect(spec.trafficPolicy?.connectionPool?.http?.maxRetries == 3)
    }

    @Test func nullMeansNotWritten() {
        let file = read(reviews + "\n      fault: null\n      mirror:\n")
        #expect(file.findings.isEmpty)
        #expect(file.objects.map(\.spec) == read(reviews).objects.map(\.spec))
    }
}

@Suite struct MeshConfigReaderTests {
    @Test func settingsAreReadOverTheDefaults() throws {
        let text = """
            connectTimeout: 3s
            proxyHttpPort: 15081
            accessLogFile: /dev/stdout
            outboundTrafficPolicy: {mode: REGISTRY_ONLY}
            inboundTrafficPolicy: {mode: LOCALHOST}
            pathNormalization: {normalization: MERGE_SLASHES}
            defaultHttpRetryPolicy: {attempts: 0}
            defaultServiceExportTo: ["."]
            h2UpgradePolicy: UPGRADE
            trustDomainAliases: [old.example]
            verifyCertificateAtClient: true
            protocolDetectionTimeout: 0s
            defaultConfig: {gatewayTopology: {numTrustedProxies: 2}}
            """
        let result = MeshConfigReader.read(file: "m.yaml", text: Array(text.utf8))
        #expect(result.findings.isEmpty)
        let config = try #require(result.config)
        #expect(config.connectTimeout == .seconds(3))
        #expect(config.proxyHttpPort == 15081)
        #expect(config.outboundTrafficPolicy.mode == .registryOnly)
        #expect(config.inboundTrafficPolicy == .localhost)
        #expect(config.pathNormalization == .mergeSlashes)
        #expect(config.defaultHttpRetryPolicy?.attempts == 0)
        #expect(config.defaultServiceExportTo == ["."])
        #expect(config.h2UpgradePolicy == .upgrade)
        #expect(config.trustDomainAliases == ["old.example"])
        #expect(config.verifyCertificateAtClient == true)
        #expect(config.numTrustedProxies == 2)
        #expect(config.rootNamespace == "istio-system")
        #expect(config.outboundTrafficPolicy.egressProxy == nil)
    }

    @Test func anEmptyFileHasTheDefaults() {
        #expect(MeshConfigReader.read(file: "m.yaml", text: []).config == MeshConfig())
    }

    @Test func aConfigMapHoldsTheSameSettings() throws {
        let text = """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: istio, namespace: istio-system}
            data:
              mesh: |-
                proxyHttpPort: 15081
                conectTimeout: 3s
              meshNetworks: ""
            """
        let file = ManifestReader.read(file: "m.yaml", text: Array(text.utf8))
        let object = try #require(file.objects.first)
        let result = try #require(MeshConfigReader.read(configMap: object))
        #expect(result.config?.proxyHttpPort == 15081)
        #expect(result.findings.map(\.message) == ["unknown field \"conectTimeout\" is ignored"])
        #expect(result.findings.map(\.location.position.line) == [7])
        #expect(result.findings.map(\.object) == ["ConfigMap istio-system/istio"])
        // The ConfigMap may also be given as the mesh config file.
        #expect(MeshConfigReader.read(file: "m.yaml", text: Array(text.utf8)).config == result.config)
    }
}
