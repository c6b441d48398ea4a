import ApusAPI
import ApusCompiler
import ApusModel
import SwiftProtobuf
import Testing

/// The canary release of Istio's introductions: one VirtualService and one DestinationRule for `my-app`.
@Suite struct SeedTests {
    private let host = "my-app.default.svc.cluster.local"

    private let virtualService = Outbound.virtualService(
        "my-app", hosts: ["my-app", "my-app.example.com"], gateways: ["mesh", "my-gateway"],
        [
            Outbound.rule {
                $0.match = [Outbound.match { $0.headers = ["x-canary": .exact("true")] }]
                $0.route = [Outbound.to("my-app", subset: "canary", weight: 100)]
            },
            Outbound.rule {
                $0.route = [
                    Outbound.to("my-app", subset: "stable", weight: 90),
                    Outbound.to("my-app", subset: "canary", weight: 10),
                ]
                $0.timeout = .seconds(30)
                $0.retries = HTTPRetry()
                $0.retries?.attempts = 3
                $0.retries?.perTryTimeout = .seconds(5)
                $0.retries?.retryOn = "5xx,reset"
                $0.fault = HTTPFault()
                $0.fault?.abort = HTTPFault.Abort()
                $0.fault?.abort?.percentage = 0.1
                $0.fault?.abort?.kind = .httpStatus(500)
            },
        ])

    private let destinationRule = Outbound.destinationRule("my-app", host: "my-app") {
        var policy = TrafficPolicy()
        policy.connectionPool = ConnectionPoolSettings()
        policy.connectionPool?.tcp = ConnectionPoolSettings.TCP()
        policy.connectionPool?.tcp?.maxConnections = 100
        policy.connectionPool?.http = ConnectionPoolSettings.HTTP()
        policy.connectionPool?.http?.http1MaxPendingRequests = 100
        policy.connectionPool?.http?.http2MaxRequests = 100
        policy.outlierDetection = OutlierDetectionSettings()
        policy.outlierDetection?.consecutive5xxErrors = 3
        policy.outlierDetection?.interval = .seconds(30)
        policy.outlierDetection?.baseEjectionTime = .seconds(30)
        policy.outlierDetection?.maxEjectionPercent = 50
        $0.trafficPolicy = policy
        var stable = TrafficPolicy()
        stable.connectionPool = ConnectionPoolSettings()
        stable.connectionPool?.http = ConnectionPoolSettings.HTTP()
        stable.connectionPool?.http?.http1MaxPendingRequests = 200
        $0.subsets = [
            Outbound.subset("stable", ["version": "v1"], stable), Outbound.subset("canary", ["version": "v2"]),
            Outbound.subset("v3", ["version": "v3"]),
        ]
    }

    private var context: CompileContext {
        Outbound.context([Outbound.service("my-app", ports: [(8080, "http")]), virtualService, destinationRule])
    }

    @Test func `the canary header leads to the canary, without the faults of the other rule`() throws {
        let routes = try #require(context.virtualHost("\(host):8080", in: "8080")).routes
        #expect(routes.count == 2)
        #expect(routes[0].match.headers.map(\.stringMatch.exact) == ["true"])
        #expect(routes[0].route.cluster == "outbound|8080|canary|\(host)")
        #expect(routes[0].route.timeout.seconds == 0)
        #expect(routes[0].route.retryPolicy.numRetries.value == 2)
        #expect(routes[0].typedPerFilterConfig.isEmpty)
    }

    @Test func `everybody else is shared 90 to 10, with timeout, retries and one abort in a thousand`() throws {
        let route = try #require(context.virtualHost("\(host):8080", in: "8080")).routes[1]
        let clusters = route.route.weightedClusters.clusters
        #expect(clusters.map(\.name) == ["outbound|8080|stable|\(host)", "outbound|8080|canary|\(host)"])
        #expect(clusters.map(\.weight.value) == [90, 10])
        #expect(route.route.timeout.seconds == 30)
        #expect(route.route.retryPolicy.numRetries.value == 3)
        #expect(route.route.retryPolicy.perTryTimeout.seconds == 5)
        #expect(route.route.retryPolicy.retryOn == "5xx,reset")
        let fault = try Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault(
            unpackingAny: #require(route.typedPerFilterConfig["envoy.filters.http.fault"]))
        #expect(fault.abort.httpStatus == 500)
        #expect(fault.abort.percentage.numerator == 1000)
        #expect(fault.abort.percentage.denominator == .million)
    }

    @Test func `the outside name is a virtual host of its own, on the service's port and on 80`() throws {
        let outside = try #require(context.virtualHost("my-app.example.com:8080", in: "8080"))
        #expect(outside.domains == ["my-app.example.com"])
        #expect(outside.routes == context.virtualHost("\(host):8080", in: "8080")?.routes)
        #expect(context.virtualHost("my-app.example.com:80", in: "80") != nil)
    }

    @Test func `every subset detects outliers, and stable alone has lost the other limits`() {
        for (subset, connections, pending, requests) in [
            ("", 100, 100, 100), ("canary", 100, 100, 100), ("v3", 100, 100, 100),
            ("stable", UInt32.max, 200, UInt32.max),
        ] as [(String, UInt32, UInt32, UInt32)] {
            let cluster = Outbound.cluster("outbound|8080|\(subset)|\(host)", context)
            #expect(cluster.thresholds.maxConnections.value == connections)
            #expect(cluster.thresholds.maxPendingRequests.value == pending)
            #expect(cluster.thresholds.maxRequests.value == requests)
            #expect(cluster.outlierDetection.consecutive5Xx.value == 3)
            #expect(cluster.outlierDetection.interval.seconds == 30)
            #expect(cluster.outlierDetection.baseEjectionTime.seconds == 30)
            #expect(cluster.outlierDetection.maxEjectionPercent.value == 50)
            #expect(cluster.outlierDetection.enforcingSuccessRate.value == 0)
            #expect(cluster.lbPolicy == .leastRequest)
            #expect(cluster.type == .eds)
        }
    }
}
