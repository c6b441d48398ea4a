internal import ApusAPI
internal import ApusCore
internal import ApusTraffic
internal import SwiftProtobuf
internal import Testing

@Suite struct ConfigStoreTests {
    @Test func `a cluster waits for its endpoints, and empty ones count`() throws {
        var store = ConfigStore()
        #expect(try store.put(.cluster, "c", Sample.cluster()).change.isEmpty)
        #expect(store.configuration.cluster(named: "c") == nil)
        #expect(store.wantedEndpoints == ["c"] && store.warmingClusters == ["c"])
        let change = try store.put(.endpoints, "c", Sample.endpoints { $0.endpoints = [] }).change
        #expect(change.changedClusters == ["c"])
        #expect(store.configuration.cluster(named: "c")?.endpoints.endpoints.isEmpty == true)
        #expect(store.warmingClusters.isEmpty)
    }

    @Test func `an endpoint change touches the endpoints of its cluster and nothing else`() throws {
        var store = ConfigStore()
        _ = try store.put(.cluster, "c", Sample.cluster())
        _ = try store.put(.endpoints, "c", Sample.endpoints())
        let before = try #require(store.configuration.cluster(named: "c"))
        let change = try store.put(
            .endpoints, "c", Sample.endpoints { $0.endpoints[0].lbEndpoints.append($0.endpoints[0].lbEndpoints[0]) }
        ).change
        #expect(change.changedEndpoints == ["c"] && change.changedClusters.isEmpty)
        let after = try #require(store.configuration.cluster(named: "c"))
        #expect(after.config === before.config && after.endpoints.endpoints.count == 2)
    }

    @Test func `equal bytes change nothing`() throws {
        var store = ConfigStore()
        _ = try store.put(.cluster, "c", Sample.cluster())
        _ = try store.put(.endpoints, "c", Sample.endpoints())
        let generation = store.configuration.generation
        #expect(try store.put(.cluster, "c", Sample.cluster()).change.isEmpty)
        #expect(try store.put(.endpoints, "c", Sample.endpoints()).change.isEmpty)
        #expect(store.configuration.generation == generation)
    }

    @Test func `a listener serves only when its routes are there, and the old one serves until then`() throws {
        var store = ConfigStore()
        #expect(try store.put(.listener, "l", Sample.listener()).change.isEmpty)
        #expect(store.wantedRoutes == ["r"] && store.warmingListeners == ["l"])
        #expect(try store.put(.route, "r", Sample.routes()).change.addedListeners == ["l"])
        let first = try #require(store.configuration.listeners.first)

        let other = try Sample.manager { $0.rds.routeConfigName = "r2" }
        #expect(try store.put(.listener, "l", Sample.listener(manager: other)).change.isEmpty)
        #expect(store.configuration.listeners.first === first)
        #expect(store.wantedRoutes == ["r", "r2"])
        let change = try store.put(.route, "r2", Sample.routes("r2")).change
        #expect(change.changedListeners == ["l"])
        #expect(store.wantedRoutes == ["r2"] && store.acceptedResources(.route).map(\.name) == ["r2"])
    }

    @Test func `a new route table reaches the listener without touching it`() throws {
        var store = ConfigStore()
        _ = try store.put(.listener, "l", Sample.listener())
        _ = try store.put(.route, "r", Sample.routes())
        let listener = try #require(store.configuration.listeners.first)
        guard case .http(let manager) = listener.chains[0].filter else {
            Issue.record("not HTTP")
            return
        }
        let old = try #require(store.configuration.routeTable(for: manager))
        let change = try store.put(.route, "r", Sample.routes { $0.virtualHosts[0].domains = ["shop"] }).change
        #expect(change.changedRouteTables == ["r"] && change.changedListeners.isEmpty)
        let new = try #require(store.configuration.routeTable(for: manager))
        #expect(new !== old && store.configuration.listeners.first === listener)
    }

    @Test func `a request finds its cluster through slots`() throws {
        var store = ConfigStore()
        // The route is decoded before the cluster exists: the slot is the same.
        _ = try store.put(.listener, "l", Sample.listener())
        _ = try store.put(.route, "r", Sample.routes())
        _ = try store.put(.cluster, "other", Sample.cluster("other"))
        _ = try store.put(.cluster, "c", Sample.cluster())
        _ = try store.put(.endpoints, "c", Sample.endpoints())
        guard case .http(let manager) = store.configuration.listeners[0].chains[0].filter,
            let decision = store.configuration.routeTable(for: manager)?.decide(head: get("/"), draw: Draw(1)),
            case .forward(_, .known(let reference)) = decision.outcome
        else {
            Issue.record("not forwarded")
            return
        }
        #expect(store.configuration.cluster(reference.slot)?.config.name == "c")
    }

    @Test func `good resources of a response take effect beside bad ones, whose last good version stays`() throws {
        var store = ConfigStore()
        _ = try store.put(
            .cluster, "a",
            Sample.cluster("a") {
                $0.type = .static; $0.clearEdsClusterConfig()
            })
        let bad = Sample.cluster("a") {
            $0.type = .static; $0.clearEdsClusterConfig(); $0.preconnectPolicy = .init()
        }
        let verdict = store.apply(
            ConfigUpdate(
                type: .cluster,
                changed: [
                    .init(name: "a", version: "2", body: try body(bad)),
                    .init(
                        name: "b", version: "2",
                        body: try body(
                            Sample.cluster("b") {
                                $0.type = .static; $0.clearEdsClusterConfig()
                            })),
                ]), now: 5)
        #expect(verdict.accepted == ["b"] && verdict.change.changedClusters == ["b"])
        #expect(
            verdict.message
                == "Error adding/updating cluster(s) a: preconnect_policy: this field is not supported by this proxy")
        #expect(store.configuration.cluster(named: "a") != nil)
        #expect(store.acceptedResources(.cluster).map(\.version) == ["1", "2"])
        #expect(store.rejectedResources(.cluster).map(\.attemptedAt) == [5])
        _ = try store.put(
            .cluster, "a",
            Sample.cluster("a") {
                $0.type = .static; $0.clearEdsClusterConfig()
            })
        #expect(store.rejectedResources(.cluster).isEmpty)
    }

    @Test func `a removed cluster takes its endpoints along, a removed listener its routes`() throws {
        var store = ConfigStore()
        _ = try store.put(.cluster, "c", Sample.cluster())
        _ = try store.put(.endpoints, "c", Sample.endpoints())
        _ = try store.put(.listener, "l", Sample.listener())
        _ = try store.put(.route, "r", Sample.routes())
        let clusters = store.apply(ConfigUpdate(type: .cluster, changed: [], removed: ["c"]), now: 2)
        #expect(clusters.change.removedClusters == ["c"])
        #expect(store.wantedEndpoints.isEmpty && store.acceptedResources(.endpoints).isEmpty)
        let listeners = store.apply(ConfigUpdate(type: .listener, changed: [], removed: ["l"]), now: 2)
        #expect(listeners.change.removedListeners == ["l"])
        #expect(store.wantedRoutes.isEmpty && store.configuration.listeners.isEmpty)
    }

    @Test func `two listeners cannot bind one address, but unbound ones may share it`() throws {
        var store = ConfigStore()
        #expect(try store.put(.listener, "a", Sample.listener("a")).message == nil)
        #expect(
            try store.put(.listener, "b", Sample.listener("b")).message
                == "Error adding/updating listener(s) b: address: 0.0.0.0:8080 is in use by listener 'a'")
        #expect(try store.put(.listener, "b", Sample.listener("b") { $0.bindToPort = .init(false) }).message == nil)
    }

    @Test func `nobody's endpoints and routes are not kept`() throws {
        var store = ConfigStore()
        #expect(try store.put(.endpoints, "x", Sample.endpoints("x")).message == nil)
        #expect(try store.put(.route, "x", Sample.routes("x")).message == nil)
        #expect(store.acceptedResources(.endpoints).isEmpty && store.acceptedResources(.route).isEmpty)
    }

    @Test func `missing endpoints let a cluster into service without hosts`() throws {
        var store = ConfigStore()
        _ = try store.put(.cluster, "c", Sample.cluster())
        #expect(store.endpointsMissing("c").changedClusters == ["c"])
        #expect(store.configuration.cluster(named: "c")?.endpoints.endpoints.isEmpty == true)
    }
}

@Suite struct DecodingTests {
    private func decide(_ message: RouteMessage, _ head: HTTPHead) throws -> RouteDecision {
        var store = ConfigStore()
        _ = try store.put(.listener, "l", Sample.listener())
        let verdict = try store.put(.route, "r", message)
        #expect(verdict.message == nil)
        let table = try #require(store.configuration.routeTables.compactMap { $0 }.first)
        return table.decide(head: head, draw: Draw(1))
    }

    private func forward(_ decision: RouteDecision) throws -> ForwardAction {
        guard case .forward(let action, _) = decision.outcome else { throw Refusal("", "not forwarded") }
        return action
    }

    @Test func `a route without time-out has fifteen seconds, with zero none`() throws {
        #expect(try forward(decide(Sample.routes(), get("/"))).timeout == .seconds(15))
        let off = Sample.routes { $0.virtualHosts[0].routes[0].route.timeout = .init() }
        #expect(try forward(decide(off, get("/"))).timeout == nil)
    }

    @Test func `a retry policy is read in full`() throws {
        let previous = try packed(Envoy_Extensions_Retry_Host_PreviousHosts_V3_PreviousHostsPredicate())
        let message = Sample.routes {
            $0.virtualHosts[0].routes[0].route.retryPolicy = .with {
                $0.retryOn = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
                $0.numRetries = .init(2)
                $0.retriableStatusCodes = [503]
                $0.perTryTimeout.seconds = 2
                $0.hostSelectionRetryMaxAttempts = 5
                $0.retryHostPredicate = [
                    .with {
                        $0.name = "p"; $0.typedConfig = previous
                    }
                ]
            }
        }
        let retry = try #require(try forward(decide(message, get("/"))).retry)
        #expect(
            retry.conditions
                == [.connectFailure, .refusedStream, .grpcUnavailable, .grpcCancelled, .retriableStatusCodes])
        #expect(retry.retries == 2 && retry.statusCodes == [503] && retry.perTryTimeout == .seconds(2))
        #expect(retry.avoidsPreviousHosts && retry.hostSelectionAttempts == 5)
        #expect(retry.baseInterval == .milliseconds(25) && retry.maxInterval == .milliseconds(250))
    }

    @Test func `the virtual host's retry policy holds for routes without one`() throws {
        let message = Sample.routes { $0.virtualHosts[0].retryPolicy.retryOn = "5xx" }
        #expect(try forward(decide(message, get("/"))).retry?.conditions == .serverError)
    }

    @Test func `per-route faults override the filter by its name`() throws {
        let fault = try packed(
            Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault.with {
                $0.abort.httpStatus = 418
                $0.abort.percentage.numerator = 100
            })
        let filter = try packed(Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault())
        var store = ConfigStore()
        let manager = try Sample.manager {
            $0.httpFilters.insert(
                .with {
                    $0.name = "envoy.filters.http.fault"; $0.typedConfig = filter
                }, at: 0)
        }
        _ = try store.put(.listener, "l", Sample.listener(manager: manager))
        _ = try store.put(
            .route, "r",
            Sample.routes { $0.virtualHosts[0].routes[0].typedPerFilterConfig["envoy.filters.http.fault"] = fault })
        guard case .http(let config) = store.configuration.listeners[0].chains[0].filter,
            let table = store.configuration.routeTable(for: config), let key = config.filters.first?.key
        else {
            Issue.record("no filter")
            return
        }
        let decision = table.decide(head: get("/"), draw: Draw(1))
        guard case .fault(let policy) = decision.override(key, table: table) else {
            Issue.record("no override")
            return
        }
        #expect(policy.decide(head: get("/"), cluster: "c", active: 0, draw: Draw(1)).abort?.status == 418)
    }

    @Test func `redirects and direct responses are read`() throws {
        let redirect = Sample.routes {
            $0.virtualHosts[0].routes[0].redirect = .with {
                $0.httpsRedirect = true
                $0.pathRedirect = "/new"
                $0.responseCode = .found
            }
        }
        guard case .redirect(let action) = try decide(redirect, get("/")).outcome else {
            Issue.record("no redirect")
            return
        }
        #expect(action.status == 302)
        #expect(text(action.location(for: get("/old?q"), match: nil, isSecure: false)) == "https://shop.example/new?q")
        let direct = Sample.routes {
            $0.virtualHosts[0].routes[0].directResponse = .with {
                $0.status = 418; $0.body.inlineString = "tea"
            }
        }
        guard case .direct(let response) = try decide(direct, get("/")).outcome else {
            Issue.record("no direct response")
            return
        }
        #expect(response.status == 418 && text(response.body) == "tea")
    }

    @Test func `a cluster's policy, limits and outlier detection are read`() throws {
        var store = ConfigStore()
        let message = Sample.cluster {
            $0.type = .static
            $0.clearEdsClusterConfig()
            $0.lbPolicy = .ringHash
            $0.ringHashLbConfig.minimumRingSize = .init(2048)
            $0.connectTimeout.seconds = 10
            $0.circuitBreakers.thresholds = [
                .with {
                    $0.maxConnections = .init(7); $0.maxRetries = .init(UInt32.max)
                }
            ]
            $0.outlierDetection.consecutive5Xx = .init(3)
            $0.commonLbConfig.healthyPanicThreshold.value = 0
        }
        _ = try store.put(.cluster, "c", message)
        let config = try #require(store.configuration.cluster(named: "c")?.config)
        #expect(config.policy == .ringHash(minSize: 2048, maxSize: 8 << 20))
        #expect(config.connectTimeout == .seconds(10) && config.panicThreshold == 0)
        #expect(config.breakers.maxConnections == 7 && config.breakers.maxRequests == 1024)
        #expect(config.outlierDetection?.consecutive5xx == 3 && config.outlierDetection?.maxEjectionPercent == 10)
    }

    @Test func `keepalive of a cluster is read; what it leaves out is the system's, a zero turns it off`() throws {
        func keepalive(_ change: (inout Envoy_Config_Core_V3_TcpKeepalive) -> Void) throws -> TCPKeepalive? {
            var store = ConfigStore()
            let message = Sample.cluster { change(&$0.upstreamConnectionOptions.tcpKeepalive) }
            _ = try store.put(.cluster, "c", message)
            _ = try store.put(.endpoints, "c", Sample.endpoints())
            return store.configuration.cluster(named: "c")?.config.keepalive
        }
        #expect(try keepalive { $0.keepaliveTime = .init(60) } == TCPKeepalive(time: 60))
        let all = try keepalive {
            $0.keepaliveProbes = .init(3)
            $0.keepaliveTime = .init(60)
            $0.keepaliveInterval = .init(5)
        }
        #expect(all == TCPKeepalive(probes: 3, time: 60, interval: 5) && all?.isOn == true)
        #expect(try keepalive { $0.keepaliveProbes = .init(0) }?.isOn == false)
    }

    @Test func `endpoints keep locality, priority, weight and health`() throws {
        var store = ConfigStore()
        _ = try store.put(.cluster, "c", Sample.cluster())
        _ = try store.put(
            .endpoints, "c",
            Sample.endpoints {
                var second = $0.endpoints[0]
                second.priority = 1
                second.locality.region = "b"
                second.loadBalancingWeight = .init(5)
                second.lbEndpoints[0].healthStatus = .unhealthy
                second.lbEndpoints[0].loadBalancingWeight = .init(9)
                $0.endpoints.insert(second, at: 0)
            })
        let table = try #require(store.configuration.cluster(named: "c")?.endpoints)
        #expect(table.priorities == [0..<1, 1..<2])
        #expect(table.endpoints.map(\.health) == [.healthy, .unhealthy])
        #expect(table.endpoints[1].weight == 9 && table.localities[1].locality.region == "b")
        #expect(table.localities[1].weight == 5 && table.localities[0].weight == nil)
    }

    private func log(_ format: String, isSource: Bool = false) throws -> (FormatString?, String?) {
        let file = try packed(
            Envoy_Extensions_AccessLoggers_File_V3_FileAccessLog.with {
                $0.path = "/dev/stdout"
                if isSource {
                    $0.logFormat.textFormatSource.inlineString = format
                } else {
                    $0.logFormat.textFormat = format
                }
            })
        var store = ConfigStore()
        let manager = try Sample.manager {
            $0.routeConfig = Sample.routes()
            $0.accessLog = [.with { $0.typedConfig = file }]
        }
        let verdict = try store.put(.listener, "l", Sample.listener(manager: manager))
        guard let listener = store.configuration.listeners.first, case .http(let config) = listener.chains[0].filter,
            case .text(let text) = config.accessLogs[0].format
        else { return (nil, verdict.message) }
        return (text, verdict.message)
    }

    @Test func `an access-log format may be given as an inline source`() throws {
        let (format, message) = try log("%RESPONSE_CODE%\n", isSource: true)
        #expect(format != nil && message == nil)
        let (none, reason) = try log("%NO_SUCH_OPERATOR%\n", isSource: true)
        #expect(none == nil && reason != nil)
    }

    @Test func `an access-log line is written as its format says`() throws {
        let (format, _) = try log(
            "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
                + "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %DURATION% %REQ(X-LONG):3% %RESP(SERVER)% 100%% "
                + "%UPSTREAM_HOST% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\n")
        var facts = StreamFacts()
        facts.startTime = 1_704_164_645_678_000
        facts.protocol = .http11
        facts.responseCode = 503
        facts.flags = [.upstreamConnectionFailure]
        facts.responseCodeDetails = "a b"
        facts.lastDownstreamByte = 12_999
        facts.downstreamRemoteAddress = "[::1]:99"
        var out: [UInt8] = []
        try #require(format).write(
            into: &out, request: get("/p?q", [("x-long", "abcdef")]), response: HTTPHead(status: 503), facts: facts)
        #expect(
            text(out) == "[2024-01-02T03:04:05.678Z] \"GET /p?q HTTP/1.1\" 503 UF a_b 12 abc - 100% - ::1\n")
    }

    @Test(arguments: ["%NOPE%", "%REQ%", "%REQ()%", "%RESPONSE_CODE", "%REQ(a):x%", "%REQ(a?)%"])
    func `a format that is not understood is refused`(format: String) throws {
        let (parsed, message) = try log(format)
        #expect(parsed == nil && message != nil)
    }

    @Test func `header values take operators`() throws {
        let message = Sample.routes {
            $0.requestHeadersToAdd = [
                .with {
                    $0.header = .with {
                        $0.key = "x-from"; $0.value = "%DOWNSTREAM_REMOTE_ADDRESS%/%REQ(x-a)%"
                    }
                }
            ]
        }
        var store = ConfigStore()
        _ = try store.put(.listener, "l", Sample.listener())
        _ = try store.put(.route, "r", message)
        let table = try #require(store.configuration.routeTables.compactMap { $0 }.first)
        var head = get("/", [("x-a", "1")])
        var facts = StreamFacts()
        facts.downstreamRemoteAddress = "10.0.0.1:9"
        table.applyRequestHeaders(table.decide(head: head, draw: Draw(1)), to: &head, facts: facts)
        #expect(head.text("x-from") == "10.0.0.1:9/1")
    }
}
