import ApusAPI
import ApusCompiler
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct RouteActionTests {
    let reviews = "outbound|80||reviews.default.svc.cluster.local"

    @Test func `one destination is a cluster and its weight is ignored`() {
        let route = Outbound.route { $0.route = [Outbound.to("reviews", weight: 7)] }
        #expect(route.route.cluster == reviews)
    }

    @Test func `several destinations are weighted and weight zero is dropped`() {
        let clusters = Outbound.route {
            $0.route = [
                Outbound.to("reviews", weight: 3), Outbound.to("ratings", weight: 1), Outbound.to("other", weight: 0),
            ]
        }.route.weightedClusters.clusters
        #expect(clusters.map(\.name) == [reviews, "outbound|80||ratings.default.svc.cluster.local"])
        #expect(clusters.map(\.weight.value) == [3, 1])
    }

    @Test func `weights are scaled down to a sum that fits 32 bits`() {
        let clusters = Outbound.route {
            $0.route = ["reviews", "ratings", "other"].map { Outbound.to($0, weight: .max) }
        }.route.weightedClusters.clusters
        #expect(clusters.reduce(UInt64(0)) { $0 + UInt64($1.weight.value) } <= UInt64(UInt32.max))
    }

    @Test func `a destination without a port takes the service's only port, else the listener's`() {
        let objects = [
            Outbound.service("one", ports: [(9080, "http")]),
            Outbound.service("two", ports: [(1, "http"), (2, "http-b")]),
        ]
        let only = Outbound.route(with: objects) { $0.route = [Outbound.to("one")] }
        #expect(only.route.cluster == "outbound|9080||one.default.svc.cluster.local")
        let listener = Outbound.route(with: objects) { $0.route = [Outbound.to("two")] }
        #expect(listener.route.cluster == "outbound|80||two.default.svc.cluster.local")
        let written = Outbound.route(with: objects) { $0.route = [Outbound.to("two", port: 2)] }
        #expect(written.route.cluster == "outbound|2||two.default.svc.cluster.local")
    }

    @Test func `an unknown destination still names a cluster`() {
        let route = Outbound.route { $0.route = [Outbound.to("nowhere.example.com", subset: "v1")] }
        #expect(route.route.cluster == "outbound|80|v1|nowhere.example.com")
    }

    @Test func `a route has no timeout unless the rule gives one`() {
        let silent = Outbound.route { _ in }.route
        #expect(silent.hasTimeout && silent.timeout.seconds == 0)
        #expect(silent.hasMaxGrpcTimeout && silent.maxGrpcTimeout.seconds == 0)
        let written = Outbound.route { $0.timeout = .milliseconds(1500) }.route
        #expect(written.timeout.seconds == 1 && written.timeout.nanos == 500_000_000)
        #expect(written.maxGrpcTimeout.seconds == 1)
    }

    @Test func `a gRPC client gets max_stream_duration instead of timeout`() {
        let action = Outbound.route(generator: .grpc) { $0.timeout = .seconds(3) }.route
        #expect(!action.hasTimeout)
        #expect(action.maxStreamDuration.maxStreamDuration.seconds == 3)
    }

    @Test func `a redirect names path, host, scheme, port and code`() {
        let action = Outbound.route {
            $0.route = []
            $0.redirect = HTTPRedirect()
            $0.redirect?.uri = "/new"
            $0.redirect?.authority = "other"
            $0.redirect?.scheme = "https"
            $0.redirect?.port = .number(8443)
            $0.redirect?.redirectCode = 307
        }.redirect
        #expect(action.pathRedirect == "/new")
        #expect(action.hostRedirect == "other")
        #expect(action.schemeRedirect == "https")
        #expect(action.portRedirect == 8443)
        #expect(action.responseCode == .temporaryRedirect)
    }

    @Test func `a redirect is 301 and may replace the prefix only`() {
        let action = Outbound.route {
            $0.route = []
            $0.redirect = HTTPRedirect()
            $0.redirect?.prefixRewrite = "/new"
        }.redirect
        #expect(action.prefixRewrite == "/new")
        #expect(action.responseCode == .movedPermanently)
    }

    @Test func `a redirect leaves the default port of its scheme out`() {
        let same = Outbound.route {
            $0.route = []
            $0.redirect = HTTPRedirect()
            $0.redirect?.port = .fromRequestPort
        }.redirect
        #expect(same.portRedirect == 0)
        let other = Outbound.route {
            $0.route = []
            $0.redirect = HTTPRedirect()
            $0.redirect?.scheme = "https"
            $0.redirect?.port = .fromRequestPort
        }.redirect
        #expect(other.portRedirect == 80)
    }

    @Test func `a direct response has a status and a body`() {
        func response(_ body: HTTPDirectResponse.Body) -> Envoy_Config_Route_V3_DirectResponseAction {
            Outbound.route {
                $0.route = []
                $0.directResponse = HTTPDirectResponse()
                $0.directResponse?.status = 418
                $0.directResponse?.body = body
            }.directResponse
        }
        #expect(response(.string("tea")).status == 418)
        #expect(response(.string("tea")).body.inlineString == "tea")
        #expect(Array(response(.bytes([0, 255])).body.inlineBytes) == [0, 255])
    }

    @Test func `rewrite replaces path, host, or by pattern`() {
        let plain = Outbound.route {
            $0.rewrite = HTTPRewrite()
            $0.rewrite?.uri = "/v2"
            $0.rewrite?.authority = "other"
        }.route
        #expect(plain.prefixRewrite == "/v2")
        #expect(plain.hostRewriteLiteral == "other")
        let pattern = Outbound.route {
            $0.rewrite = HTTPRewrite()
            $0.rewrite?.uriRegexRewrite = HTTPRewrite.Regex()
            $0.rewrite?.uriRegexRewrite?.match = "/a/(.*)"
            $0.rewrite?.uriRegexRewrite?.rewrite = "/\\1"
        }.route.regexRewrite
        #expect(pattern.pattern.regex == "/a/(.*)")
        #expect(pattern.substitution == "/\\1")
    }

    @Test func `header operations are sorted, set before add`() {
        let route = Outbound.route {
            $0.headers = Headers()
            $0.headers?.request.set = ["b": "1", "a": "2"]
            $0.headers?.request.add = ["c": "3"]
            $0.headers?.request.remove = ["z", "y"]
            $0.headers?.response.set = ["r": "4"]
            $0.headers?.response.remove = ["q"]
        }
        #expect(route.requestHeadersToAdd.map(\.header.key) == ["a", "b", "c"])
        #expect(
            route.requestHeadersToAdd.map(\.appendAction)
                == [.overwriteIfExistsOrAdd, .overwriteIfExistsOrAdd, .appendIfExistsOrAdd])
        #expect(route.requestHeadersToRemove == ["y", "z"])
        #expect(route.responseHeadersToAdd.map(\.header.value) == ["4"])
        #expect(route.responseHeadersToRemove == ["q"])
    }

    @Test(arguments: [":authority", "Host", "host"])
    func `setting the authority rewrites the host and sets no header`(name: String) {
        let route = Outbound.route {
            $0.headers = Headers()
            $0.headers?.request.set = [name: "other", ":path": "/x"]
        }
        #expect(route.requestHeadersToAdd.isEmpty)
        #expect(route.route.hostRewriteLiteral == "other")
    }

    @Test func `rewrite authority beats the header`() {
        let route = Outbound.route {
            $0.rewrite = HTTPRewrite()
            $0.rewrite?.authority = "rewrite"
            $0.headers = Headers()
            $0.headers?.request.set = ["host": "header"]
        }
        #expect(route.route.hostRewriteLiteral == "rewrite")
    }

    @Test func `a destination's headers go to the route, and with weights to its cluster`() {
        func destination(_ weight: Int32) -> HTTPDestination {
            Outbound.to("reviews", weight: weight) {
                $0.headers = Headers()
                $0.headers?.request.set = ["a": "1", "host": "other"]
            }
        }
        let single = Outbound.route { $0.route = [destination(0)] }
        #expect(single.requestHeadersToAdd.map(\.header.key) == ["a"])
        #expect(single.route.hostRewriteLiteral == "other")
        let many = Outbound.route { $0.route = [destination(1), Outbound.to("ratings", weight: 1)] }
        #expect(many.requestHeadersToAdd.isEmpty)
        #expect(many.route.weightedClusters.clusters[0].requestHeadersToAdd.map(\.header.key) == ["a"])
        #expect(many.route.weightedClusters.clusters[0].hostRewriteLiteral == "other")
    }

    @Test func `a mirror copies everything unless a percentage is given, and zero is no mirror`() {
        func policies(_ percentage: Double?) -> [XDS.RouteAction.RequestMirrorPolicy] {
            Outbound.route {
                $0.mirror = Destination(host: "ratings")
                $0.mirrorPercentage = percentage
            }.route.requestMirrorPolicies
        }
        let all = policies(nil)
        #expect(all.map(\.cluster) == ["outbound|80||ratings.default.svc.cluster.local"])
        #expect(all[0].runtimeFraction.defaultValue.numerator == 1_000_000)
        #expect(all[0].hasTraceSampled && !all[0].traceSampled.value)
        #expect(all[0].disableShadowHostSuffixAppend)
        #expect(policies(12.5)[0].runtimeFraction.defaultValue.numerator == 125_000)
        #expect(policies(0).isEmpty)
    }

    @Test func `several mirrors are several policies`() {
        let policies = Outbound.route {
            $0.mirrors = ["reviews", "ratings"].map { host in
                var mirror = HTTPMirror()
                mirror.destination = Destination(host: host)
                return mirror
            }
        }.route.requestMirrorPolicies
        #expect(policies.count == 2)
    }

    @Test func `fault delay and abort count in millionths`() throws {
        let any = Outbound.route {
            $0.fault = HTTPFault()
            $0.fault?.delay = HTTPFault.Delay()
            $0.fault?.delay?.fixedDelay = .seconds(2)
            $0.fault?.delay?.percentage = 50
            $0.fault?.abort = HTTPFault.Abort()
            $0.fault?.abort?.kind = .httpStatus(503)
            $0.fault?.abort?.percentage = 0.1
        }.typedPerFilterConfig["envoy.filters.http.fault"]
        let fault = try Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault(unpackingAny: #require(any))
        #expect(fault.delay.fixedDelay.seconds == 2)
        #expect(fault.delay.percentage.numerator == 500_000)
        #expect(fault.delay.percentage.denominator == .million)
        #expect(fault.abort.httpStatus == 503)
        #expect(fault.abort.percentage.numerator == 1_000)
    }

    @Test func `a fault without a percentage never happens, and gRPC names become numbers`() throws {
        let any = Outbound.route {
            $0.fault = HTTPFault()
            $0.fault?.abort = HTTPFault.Abort()
            $0.fault?.abort?.kind = .grpcStatus("UNAVAILABLE")
        }.typedPerFilterConfig["envoy.filters.http.fault"]
        let fault = try Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault(unpackingAny: #require(any))
        #expect(fault.abort.grpcStatus == 14)
        #expect(fault.abort.percentage.numerator == 0)
    }

    @Test func `a CORS policy is the filter's setting for the route`() throws {
        let any = Outbound.route {
            $0.corsPolicy = CORSPolicy()
            $0.corsPolicy?.allowOrigins = [.exact("https://a"), .regex("https://.*b")]
            $0.corsPolicy?.allowMethods = ["GET", "PUT"]
            $0.corsPolicy?.allowHeaders = ["x"]
            $0.corsPolicy?.exposeHeaders = ["y", "z"]
            $0.corsPolicy?.maxAge = .seconds(86400)
            $0.corsPolicy?.allowCredentials = true
            $0.corsPolicy?.unmatchedPreflights = .ignore
        }.typedPerFilterConfig["envoy.filters.http.cors"]
        let cors = try Envoy_Extensions_Filters_Http_Cors_V3_CorsPolicy(unpackingAny: #require(any))
        #expect(cors.allowOriginStringMatch.map(\.exact) == ["https://a", ""])
        #expect(cors.allowOriginStringMatch[1].safeRegex.regex == "https://.*b")
        #expect(cors.allowMethods == "GET,PUT")
        #expect(cors.allowHeaders == "x")
        #expect(cors.exposeHeaders == "y,z")
        #expect(cors.maxAge == "86400")
        #expect(cors.allowCredentials.value)
        #expect(cors.hasForwardNotMatchingPreflights && !cors.forwardNotMatchingPreflights.value)
        #expect(cors.filterEnabled.defaultValue.numerator == 100)
        #expect(cors.filterEnabled.defaultValue.denominator == .hundred)
    }

    @Test func `the decorator names the destination, or the VirtualService when there are several`() {
        let one = Outbound.route { $0.match = [Outbound.match { $0.uri = .prefix("/api") }] }
        #expect(one.decorator.operation == "reviews.default.svc.cluster.local:80/api*")
        let many = Outbound.route {
            $0.route = [Outbound.to("reviews", weight: 1), Outbound.to("ratings", weight: 1)]
        }
        #expect(many.decorator.operation == "reviews:80/*")
    }

    @Test func `a route says which VirtualService it came from`() {
        let config = Outbound.route { _ in }.metadata.filterMetadata["istio"]?.fields["config"]?.stringValue
        #expect(config == "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews")
    }
}
